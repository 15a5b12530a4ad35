// The Kubernetes objects in a file of manifests: YAML or JSON, several documents, List kinds. A file of any length is read in
// bounded memory, as long as its single documents (or, in JSON, the items of its lists) are bounded.

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>

#include "base/error.h"
#include "document/yaml.h"

namespace portcullis::replicator {

struct ManifestLimits {
  std::size_t whole_bytes = std::size_t{16} << 20;  // Up to here a file is read at once.
  std::size_t piece_bytes = std::size_t{1} << 20;   // Beyond, in pieces of about this length.
  std::size_t document_bytes = std::size_t{64}
                               << 20;  // The longest document, or item of a JSON list.
};

// Takes some objects, in the order of the file. LIFETIME: of the values: the call.
using TakeManifests =
    std::function<Result<void>(std::span<const document::YamlDocument> documents)>;

// Gives every object of `file` to `take`; each has an apiVersion, a kind and a name. An error may come after some were given.
// ERRORS: kInvalidArgument with file and line; kExhausted: a document that is too long; ReadWholeFile's; what `take` returns.
[[nodiscard]] Result<void> ReadManifests(const std::filesystem::path& file,
                                         const ManifestLimits& limits, const TakeManifests& take);

}  // namespace portcullis::replicator
