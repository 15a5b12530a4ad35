#include "index/record.h"

#include <utility>

namespace portcullis::index {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kProgressFormat = 2;
constexpr std::size_t kIdSize = 4;

void AppendVarint(std::uint64_t number, std::string* out) {
  while (number >= 0x80) {
    out->push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  out->push_back(static_cast<char>(number));
}

void AppendText(std::string_view text, std::string* out) {
  AppendVarint(text.size(), out);
  out->append(text);
}

std::string NewRecord(std::uint8_t format = kFormat) {
  return {static_cast<char>(format)};
}

std::unexpected<Error> Damaged() {
  return Fail(ErrorCode::kCorruption, "a record of the inventory is damaged");
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  // The record's format, which is at most `newest`.
  Result<std::uint8_t> TakeFormat(std::uint8_t newest = kFormat) {
    const std::uint8_t format = rest_.empty() ? 0 : static_cast<std::uint8_t>(rest_[0]);
    if (format == 0 || format > newest) {
      return Damaged();
    }
    rest_.remove_prefix(1);
    return format;
  }
  Result<std::uint64_t> TakeVarint() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(rest_[0]);
      rest_.remove_prefix(1);
      number |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return number;
      }
    }
    return Damaged();
  }
  Result<std::string> TakeText() {
    const std::uint64_t size = TRY(TakeVarint());
    if (size > rest_.size()) {
      return Damaged();
    }
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  Result<void> TakeEnd() const {
    if (!rest_.empty()) {
      return Damaged();
    }
    return {};
  }

 private:
  std::string_view rest_;
};

std::string TypeKey(std::string_view prefix, std::string_view group_version,
                    std::string_view kind) {
  std::string key(prefix);
  key += group_version;
  key += '\0';
  key += kind;
  return key;
}

std::string IdKey(std::string_view prefix, IndexId id) {
  std::string key(prefix);
  for (int shift = 24; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>((id >> shift) & 0xff));
  }
  return key;
}

std::optional<std::pair<std::string_view, std::string_view>> SplitType(std::string_view rest) {
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos || end == 0 || end + 1 == rest.size()) {
    return std::nullopt;
  }
  return std::pair(rest.substr(0, end), rest.substr(end + 1));
}

}  // namespace

std::string PositionKey(const document::GroupVersionKind& type) {
  return TypeKey(kPositionPrefix, type.group_version(), type.kind);
}

std::string CountsKey(const KindKey& kind) {
  std::string prefix(kCountsPrefix);
  prefix += kind.scope == store::Scope::kNamespaced ? 'n' : 'c';
  return TypeKey(prefix, kind.group_version, kind.kind);
}

std::string IndexKey(IndexId id) {
  return IdKey(kIndexPrefix, id);
}
std::string ProgressKey(IndexId id) {
  return IdKey(kProgressPrefix, id);
}

std::string StatisticsKey(IndexId id) {
  return IdKey(kStatisticsPrefix, id);
}

std::string WipeKey(const document::GroupVersionKind& type) {
  return TypeKey(kWipePrefix, type.group_version(), type.kind);
}

std::optional<document::GroupVersionKind> DecodeTypeKey(std::string_view prefix,
                                                        std::string_view key) {
  if (!key.starts_with(prefix)) {
    return std::nullopt;
  }
  const auto parts = SplitType(key.substr(prefix.size()));
  if (!parts) {
    return std::nullopt;
  }
  return document::MakeGroupVersionKind(parts->first, parts->second);
}

std::optional<KindKey> DecodeCountsKey(std::string_view key) {
  if (key.size() < 2 || !key.starts_with(kCountsPrefix) || (key[1] != 'n' && key[1] != 'c')) {
    return std::nullopt;
  }
  const auto parts = SplitType(key.substr(2));
  if (!parts) {
    return std::nullopt;
  }
  return KindKey{.scope = key[1] == 'n' ? store::Scope::kNamespaced : store::Scope::kCluster,
                 .group_version = std::string(parts->first),
                 .kind = std::string(parts->second)};
}

std::optional<IndexId> DecodeIndexKey(std::string_view prefix, std::string_view key) {
  if (!key.starts_with(prefix) || key.size() != prefix.size() + kIdSize) {
    return std::nullopt;
  }
  IndexId id = 0;
  for (const char c : key.substr(prefix.size())) {
    id = (id << 8) | static_cast<unsigned char>(c);
  }
  return id;
}

std::string EncodePosition(const ReplicationPosition& position) {
  std::string bytes = NewRecord();
  AppendVarint(position.complete ? 1 : 0, &bytes);
  AppendText(position.resource_version, &bytes);
  return bytes;
}

std::string EncodeCounts(const KindCounts& counts) {
  std::string bytes = NewRecord();
  AppendVarint(counts.objects, &bytes);
  AppendVarint(counts.encoded_bytes, &bytes);
  return bytes;
}

std::string EncodeIndex(const IndexRecord& record) {
  std::string bytes = NewRecord();
  AppendVarint(static_cast<std::uint64_t>(record.state), &bytes);
  AppendText(record.definition.ToString(), &bytes);
  AppendVarint(record.users.size(), &bytes);
  for (const std::string& user : record.users) {
    AppendText(user, &bytes);
  }
  return bytes;
}

std::string EncodeProgress(const BuildProgress& progress) {
  std::string bytes = NewRecord(kProgressFormat);
  AppendVarint(progress.entries, &bytes);
  AppendVarint(progress.built_objects, &bytes);
  AppendText(progress.cursor, &bytes);
  AppendVarint(progress.changes, &bytes);
  return bytes;
}

std::string EncodeStatistics(const KeyStatistics& statistics) {
  std::string bytes = NewRecord();
  AppendVarint(statistics.entries, &bytes);
  AppendVarint(statistics.distinct_keys, &bytes);
  AppendVarint(statistics.changes, &bytes);
  AppendVarint(statistics.frequent.size(), &bytes);
  for (const KeyCount& each : statistics.frequent) {
    AppendText(each.key, &bytes);
    AppendVarint(each.entries, &bytes);
  }
  return bytes;
}

std::string EncodeNumber(std::uint64_t number) {
  std::string bytes = NewRecord();
  AppendVarint(number, &bytes);
  return bytes;
}

std::string EncodeMark() {
  return NewRecord();
}

Result<ReplicationPosition> DecodePosition(std::string_view bytes) {
  Reader reader(bytes);
  TRY(reader.TakeFormat());
  ReplicationPosition position;
  const std::uint64_t complete = TRY(reader.TakeVarint());
  if (complete > 1) {
    return Damaged();
  }
  position.complete = complete == 1;
  position.resource_version = TRY(reader.TakeText());
  TRY(reader.TakeEnd());
  return position;
}

Result<KindCounts> DecodeCounts(std::string_view bytes) {
  Reader reader(bytes);
  TRY(reader.TakeFormat());
  KindCounts counts;
  counts.objects = TRY(reader.TakeVarint());
  counts.encoded_bytes = TRY(reader.TakeVarint());
  TRY(reader.TakeEnd());
  return counts;
}

Result<IndexRecord> DecodeIndex(std::string_view bytes) {
  Reader reader(bytes);
  TRY(reader.TakeFormat());
  IndexRecord record;
  const std::uint64_t state = TRY(reader.TakeVarint());
  if (state > static_cast<std::uint64_t>(IndexState::kDropping)) {
    return Damaged();
  }
  record.state = static_cast<IndexState>(state);
  Result<Definition> definition = Definition::Parse(TRY(reader.TakeText()));
  if (!definition) {
    return Damaged();
  }
  record.definition = *std::move(definition);
  const std::uint64_t users = TRY(reader.TakeVarint());
  for (std::uint64_t i = 0; i < users; ++i) {
    record.users.push_back(TRY(reader.TakeText()));
  }
  TRY(reader.TakeEnd());
  return record;
}

Result<BuildProgress> DecodeProgress(std::string_view bytes) {
  Reader reader(bytes);
  const std::uint8_t format = TRY(reader.TakeFormat(kProgressFormat));
  BuildProgress progress;
  progress.entries = TRY(reader.TakeVarint());
  progress.built_objects = TRY(reader.TakeVarint());
  progress.cursor = TRY(reader.TakeText());
  progress.changes = format == 1 ? progress.entries : TRY(reader.TakeVarint());
  TRY(reader.TakeEnd());
  return progress;
}

Result<KeyStatistics> DecodeStatistics(std::string_view bytes) {
  Reader reader(bytes);
  TRY(reader.TakeFormat());
  KeyStatistics statistics;
  statistics.entries = TRY(reader.TakeVarint());
  statistics.distinct_keys = TRY(reader.TakeVarint());
  statistics.changes = TRY(reader.TakeVarint());
  const std::uint64_t count = TRY(reader.TakeVarint());
  std::uint64_t of_frequent = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    KeyCount each;
    each.key = TRY(reader.TakeText());
    each.entries = TRY(reader.TakeVarint());
    of_frequent += each.entries;
    statistics.frequent.push_back(std::move(each));
  }
  TRY(reader.TakeEnd());
  if (count > kFrequentKeys || count > statistics.distinct_keys ||
      of_frequent > statistics.entries || statistics.distinct_keys > statistics.entries) {
    return Damaged();
  }
  return statistics;
}

Result<std::uint64_t> DecodeNumber(std::string_view bytes) {
  Reader reader(bytes);
  TRY(reader.TakeFormat());
  const std::uint64_t number = TRY(reader.TakeVarint());
  TRY(reader.TakeEnd());
  return number;
}

}  // namespace portcullis::index
