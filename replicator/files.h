// Small helpers around files that hold credentials and manifests.

#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace portcullis::replicator {

// The bytes of a regular file.
// ERRORS: kNotFound; kExhausted: longer than `limit_bytes`; kUnavailable: cannot be read.
[[nodiscard]] Result<std::string> ReadWholeFile(const std::filesystem::path& path,
                                                std::size_t limit_bytes);

// ERRORS: kInvalidArgument: not standard base64 (white space is passed over, padding is needed).
[[nodiscard]] Result<std::string> DecodeBase64(std::string_view text);

}  // namespace portcullis::replicator
