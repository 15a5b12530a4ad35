#include "index/change_log.h"

#include <algorithm>

namespace portcullis::index {
namespace {

constexpr char kFormat = 1;
constexpr std::size_t kHeader = 1 + 8 + 4;

void AppendNumber(std::uint64_t number, int bytes, std::string* out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((number >> shift) & 0xff));
  }
}

std::uint64_t TakeNumber(std::string_view* bytes, std::size_t size) {
  std::uint64_t number = 0;
  for (const char c : bytes->substr(0, size)) {
    number = (number << 8) | static_cast<unsigned char>(c);
  }
  bytes->remove_prefix(size);
  return number;
}

}  // namespace

bool RecordedChange::of_object() const {
  return !key_bytes.empty() && key_bytes.back() != '\0';
}

std::string EncodeChangeKey(std::uint64_t sequence) {
  std::string key;
  AppendNumber(sequence, 8, &key);
  return key;
}

std::string EncodeChange(const RecordedChange& change) {
  std::string bytes(1, kFormat);
  AppendNumber(static_cast<std::uint64_t>(change.time_ms), 8, &bytes);
  AppendNumber(change.touched.size(), 4, &bytes);
  for (const ReadToken& token : change.touched) {
    AppendToken(token, &bytes);
  }
  bytes += change.key_bytes;
  return bytes;
}

Result<RecordedChange> DecodeChange(std::string_view key, std::string_view value) {
  RecordedChange change;
  if (key.size() != 8 || value.size() < kHeader || value[0] != kFormat) {
    return Fail(ErrorCode::kCorruption, "a recorded change of the inventory is damaged");
  }
  change.sequence = TakeNumber(&key, 8);
  value.remove_prefix(1);
  change.time_ms = static_cast<std::int64_t>(TakeNumber(&value, 8));
  const std::uint64_t touched = TakeNumber(&value, 4);
  if (value.size() < touched * kReadTokenBytes) {
    return Fail(ErrorCode::kCorruption, "a recorded change of the inventory is damaged");
  }
  for (std::uint64_t i = 0; i < touched; ++i) {
    change.touched.push_back(ReadTokenOf(value.substr(0, kReadTokenBytes)));
    value.remove_prefix(kReadTokenBytes);
  }
  change.key_bytes = value;
  return change;
}

}  // namespace portcullis::index
