// The parts of an image's name: [domain/]path[:tag or @digest] (gatekeeper.md 6.4, AssignImage).

#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace portcullis::mutation {

// What is set in an image; an empty part stays as the image has it.
struct ImageParts {
  std::string domain;
  std::string path;
  std::string tag;  // With its ':' or '@'.
};

// ERRORS: kInvalidArgument with Gatekeeper's text: parts that could not be told apart when the image is read again.
[[nodiscard]] Result<void> CheckImageParts(const ImageParts& parts);

[[nodiscard]] std::string WithImageParts(std::string_view image, const ImageParts& parts);

}  // namespace portcullis::mutation
