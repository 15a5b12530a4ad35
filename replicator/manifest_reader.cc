#include "replicator/manifest_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "document/arena.h"
#include "document/json.h"
#include "document/object.h"
#include "replicator/files.h"
#include "replicator/json_splitter.h"

namespace portcullis::replicator {
namespace {

using document::Value;
using document::YamlDocument;
using std::filesystem::path;

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

document::ParseOptions OptionsFor(const path& file, const ManifestLimits& limits) {
  document::ParseOptions options;
  options.file = file.string();
  options.max_bytes = std::max(limits.document_bytes, limits.whole_bytes);
  return options;
}

// The error as of `file`, `lines` further down.
Error Moved(Error error, const path& file, std::uint32_t lines) {
  if (!error.position) {
    error.position.emplace();
  }
  error.position->file = file.string();
  if (error.position->line != 0 || lines != 0) {
    error.position->line += lines;
  }
  return error;
}

Result<void> Check(std::span<const YamlDocument> documents, const path& file) {
  for (const YamlDocument& document : documents) {
    const Result<document::ObjectIdentity> identity = document::IdentityOf(document.value);
    if (!identity) {
      return Fail(identity.error().code, identity.error().message,
                  Position{file.string(), document.line, 0});
    }
  }
  return {};
}

Result<void> CheckAndTake(std::span<const YamlDocument> documents, const path& file,
                          const TakeManifests& take) {
  TRY(Check(documents, file));
  return take(documents);
}

bool StartsLikeJson(std::string_view text) {
  const std::size_t at = text.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && text[at] == '{';
}

// The object, or the items of a list whose items say what they are. False: this needs the YAML reader's rules for lists.
bool ExpandJson(const Value& value, std::vector<YamlDocument>* objects) {
  const Value items = value.Find("items");
  if (!items.is_array()) {
    objects->push_back({value, 1});
    return true;
  }
  if (value.GetString({"kind"}) != "List") {
    return false;
  }
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    if (items.ItemAt(i).GetString({"kind"}).empty()) {
      return false;
    }
    objects->push_back({items.ItemAt(i), 1});
  }
  return true;
}

Result<void> ReadWhole(const path& file, const ManifestLimits& limits, const TakeManifests& take) {
  const std::string text = TRY(ReadWholeFile(file, limits.whole_bytes));
  document::Arena arena;
  const document::ParseOptions options = OptionsFor(file, limits);
  if (StartsLikeJson(text)) {
    // The JSON parser is many times faster; what it cannot read (several documents, YAML's flow style) the YAML parser may,
    // and has the better errors.
    const Result<Value> value = document::ParseJson(text, arena, options);
    std::vector<YamlDocument> objects;
    if (value && ExpandJson(*value, &objects)) {
      return CheckAndTake(objects, file, take);
    }
  }
  const std::vector<YamlDocument> documents = TRY(document::ParseManifests(text, arena, options));
  return CheckAndTake(documents, file, take);
}

// A file as a stream of blocks.
class BlockReader {
 public:
  static Result<BlockReader> Open(const path& file) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "rbe"),
                                                           std::fclose);
    if (stream == nullptr) {
      return Fail(ErrorCode::kUnavailable, file.string() + ": " + std::strerror(errno));
    }
    return BlockReader(std::move(stream), file);
  }
  // The next block; an empty one at the end.
  Result<std::string_view> Next() {
    block_.resize(kBlockBytes);
    const std::size_t got = std::fread(block_.data(), 1, block_.size(), stream_.get());
    if (got == 0 && std::ferror(stream_.get()) != 0) {
      return Fail(ErrorCode::kUnavailable, file_.string() + ": " + std::strerror(errno));
    }
    return std::string_view(block_).substr(0, got);
  }

 private:
  BlockReader(std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream, path file)
      : stream_(std::move(stream)), file_(std::move(file)) {}
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream_;
  path file_;
  std::string block_;
};

// JSON: pieces are objects, handed on in batches.
Result<void> ReadJsonStream(BlockReader& blocks, std::string_view first, const path& file,
                            const ManifestLimits& limits, const TakeManifests& take) {
  document::Arena arena;
  std::vector<YamlDocument> batch;
  const document::ParseOptions options = OptionsFor(file, limits);
  const auto flush = [&]() -> Result<void> {
    TRY(CheckAndTake(batch, file, take));
    batch.clear();
    arena.Reset();
    return {};
  };
  JsonSplitter splitter(
      limits.document_bytes, [&](std::string_view text, std::uint32_t line) -> Result<void> {
        const Result<Value> value = document::ParseJson(text, arena, options);
        if (!value) {
          return std::unexpected(Moved(value.error(), file, line - 1));
        }
        batch.push_back({*value, line});
        return arena.used_bytes() > limits.piece_bytes * 4 ? flush() : Result<void>();
      });
  const auto with_file = [&](Result<void> result) -> Result<void> {
    if (!result) {
      return std::unexpected(Moved(std::move(result).error(), file, 0));
    }
    return result;
  };
  for (std::string_view block = first; !block.empty(); block = TRY(blocks.Next())) {
    TRY(with_file(splitter.Feed(block)));
  }
  TRY(with_file(splitter.Finish()));
  return flush();
}

// Where the last document of `text` begins that is not the first: after a line that starts with "---". A line of block style
// cannot start so within a document.
std::size_t LastBoundary(std::string_view text) {
  std::size_t at = text.rfind("\n---");
  while (at != std::string_view::npos) {
    const std::size_t after = at + 4;
    if (after >= text.size()) {
      // Not known yet whether the line goes on.
    } else if (text[after] == '\n' || text[after] == ' ' || text[after] == '\r' ||
               text[after] == '\t') {
      return at + 1;
    }
    at = at == 0 ? std::string_view::npos : text.rfind("\n---", at - 1);
  }
  return 0;
}

Result<void> ReadYamlStream(BlockReader& blocks, std::string_view first, const path& file,
                            const ManifestLimits& limits, const TakeManifests& take) {
  document::Arena arena;
  const document::ParseOptions options = OptionsFor(file, limits);
  std::string pending;
  std::uint32_t lines = 0;  // Before `pending`.
  const auto parse = [&](std::size_t bytes) -> Result<void> {
    const std::string_view piece = std::string_view(pending).substr(0, bytes);
    arena.Reset();
    Result<std::vector<YamlDocument>> documents = document::ParseManifests(piece, arena, options);
    if (!documents) {
      return std::unexpected(Moved(std::move(documents).error(), file, lines));
    }
    for (YamlDocument& document : *documents) {
      document.line += lines;
    }
    TRY(CheckAndTake(*documents, file, take));
    lines += static_cast<std::uint32_t>(std::count(piece.begin(), piece.end(), '\n'));
    pending.erase(0, bytes);
    return {};
  };
  for (std::string_view block = first; !block.empty(); block = TRY(blocks.Next())) {
    pending += block;
    if (pending.size() < limits.piece_bytes) {
      continue;
    }
    const std::size_t boundary = LastBoundary(pending);
    if (boundary > 0) {
      TRY(parse(boundary));
    } else if (pending.size() > limits.document_bytes) {
      return Fail(ErrorCode::kExhausted,
                  "a YAML document of more than " + std::to_string(limits.document_bytes) +
                      " bytes: write it as several documents, or as JSON",
                  Position{file.string(), lines + 1, 0});
    }
  }
  return parse(pending.size());
}

}  // namespace

Result<void> ReadManifests(const path& file, const ManifestLimits& limits,
                           const TakeManifests& take) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(file, error);
  if (error || bytes <= limits.whole_bytes) {
    return ReadWhole(file, limits, take);
  }
  BlockReader blocks = TRY(BlockReader::Open(file));
  const std::string first(TRY(blocks.Next()));
  return StartsLikeJson(first) ? ReadJsonStream(blocks, first, file, limits, take)
                               : ReadYamlStream(blocks, first, file, limits, take);
}

}  // namespace portcullis::replicator
