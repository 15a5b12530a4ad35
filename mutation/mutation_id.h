// The name of one mutation, in errors, logs and annotations: a random UUID.

#pragma once

#include <string>

namespace portcullis::mutation {

[[nodiscard]] std::string NewMutationId();

}  // namespace portcullis::mutation
