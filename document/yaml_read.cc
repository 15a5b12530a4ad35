#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <yaml.h>

#include "document/number.h"
#include "document/utf8.h"
#include "document/yaml.h"
#include "document/yaml_scalar.h"

namespace portcullis::document {
namespace {

using Kind = YamlScalar::Kind;

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

// What a value costs beside its text.
constexpr std::uint64_t kNodeBytes = sizeof(Value);

// One event of libyaml's parser.
class Event {
 public:
  Event() = default;
  ~Event() { yaml_event_delete(&event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  bool Next(yaml_parser_t* parser) {
    yaml_event_delete(&event_);
    return yaml_parser_parse(parser, &event_) != 0;
  }
  const yaml_event_t* operator->() const { return &event_; }

 private:
  yaml_event_t event_{};
};

std::string_view View(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

// What a value would be with all aliases written out.
struct Extent {
  std::uint64_t bytes = 0;
  std::uint32_t levels = 0;  // Arrays and objects within each other.

  void Include(const Extent& child) {
    bytes += child.bytes;
    levels = std::max(levels, child.levels + 1);
  }
};

struct Node {
  Value value = {};
  Extent extent = {};
  yaml_mark_t mark{};
  bool merge_key = false;
  bool alias = false;
};

struct Anchor {
  Value value;
  Extent extent;
  bool open = true;  // Not read to its end yet.
};

// Go's encoding/json of a float64: the shortest digits, without an exponent from 1e-6 up to 1e21.
std::string GoJsonFloat(double value) {
  const double magnitude = std::abs(value);
  std::array<char, 48> buffer;
  const auto print = [&](std::chars_format format) {
    return std::string(buffer.begin(),
                       std::to_chars(buffer.begin(), buffer.end(), value, format).ptr);
  };
  if (magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e15)) {
    return print(std::chars_format::fixed);
  }
  std::string text = print(std::chars_format::scientific);
  const std::size_t e = text.find('e');
  if (magnitude < 1e-6 || magnitude >= 1e21) {
    // Go leaves out the first zero of an exponent of two digits, but only of a negative one.
    if (text[e + 1] == '-' && text[e + 2] == '0') {
      text.erase(e + 2, 1);
    }
    return text;
  }
  // Whole or nearly so: std::to_chars would print digits that the shortest form has not.
  const auto exponent = static_cast<std::size_t>(std::stoi(text.substr(e + 2)));
  const std::size_t sign = text.front() == '-' ? 1 : 0;
  std::string digits = text.substr(sign, e - sign);
  std::erase(digits, '.');
  if (digits.size() <= exponent + 1) {
    digits.append(exponent + 1 - digits.size(), '0');
  } else {
    digits.insert(exponent + 1, 1, '.');
  }
  return (sign == 1 ? "-" : "") + digits;
}

class YamlReader {
 public:
  YamlReader(std::string_view text, Arena& arena, const ParseOptions& options, YamlSchema schema)
      : text_(text), arena_(arena), options_(options), schema_(schema) {
    initialized_ = yaml_parser_initialize(&parser_) != 0;
    if (initialized_) {
      yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
      yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                   text.size());
    }
  }
  ~YamlReader() {
    if (initialized_) {
      yaml_parser_delete(&parser_);
    }
  }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;

  Result<std::vector<YamlDocument>> Read() {
    if (!initialized_) {
      return Fail(ErrorCode::kExhausted, "out of memory");
    }
    std::vector<YamlDocument> documents;
    while (true) {
      TRY(Advance());
      if (event_->type == YAML_STREAM_END_EVENT) {
        return documents;
      }
      if (event_->type != YAML_DOCUMENT_START_EVENT) {
        continue;
      }
      anchors_.clear();
      TRY(Advance());
      const bool empty = IsEmptyScalar();
      const Node root = TRY(ReadNode(0));
      if (!empty || opa()) {
        documents.push_back({root.value, static_cast<std::uint32_t>(root.mark.line + 1)});
      }
    }
  }

 private:
  [[nodiscard]] bool opa() const { return schema_ == YamlSchema::kOpa; }

  // What is wrong here: in our words, or in OPA's.
  std::unexpected<Error> Refuse(const yaml_mark_t& mark, std::string ours, std::string opas) {
    return opa() ? Fail(ErrorCode::kInvalidArgument, std::move(opas), PositionOf(mark))
                 : Refuse(mark, std::move(ours));
  }

  // "yaml: line 2: did not find expected key", the line as go-yaml counts it.
  [[nodiscard]] std::string OpasComplaint() const {
    std::size_t line =
        parser_.context_mark.line != 0 ? parser_.context_mark.line : parser_.problem_mark.line;
    line += line != 0 && parser_.error == YAML_SCANNER_ERROR ? 1 : 0;
    return "yaml: " + (line == 0 ? "" : "line " + std::to_string(line) + ": ") + parser_.problem;
  }

  Result<void> Advance() {
    if (event_.Next(&parser_)) {
      return {};
    }
    if (opa() && parser_.problem != nullptr) {
      return Fail(ErrorCode::kInvalidArgument, OpasComplaint(), PositionOf(parser_.problem_mark));
    }
    std::string message = "invalid YAML: ";
    if (parser_.error == YAML_MEMORY_ERROR) {
      return Fail(ErrorCode::kExhausted, "out of memory");
    }
    message += parser_.problem == nullptr ? "unreadable" : parser_.problem;
    if (options_.dialect == YamlDialect::kVersion3 && parser_.problem != nullptr) {
      return Fail(ErrorCode::kInvalidArgument, Version3Problem(), PositionOf(parser_.problem_mark));
    }
    if (parser_.error == YAML_READER_ERROR) {
      return Fail(ErrorCode::kInvalidArgument, std::move(message),
                  PositionAt(parser_.problem_offset));
    }
    if (parser_.context != nullptr) {
      message += std::string(" ") + parser_.context;
    }
    return Fail(ErrorCode::kInvalidArgument, std::move(message), PositionOf(parser_.problem_mark));
  }

  // Go's parser names the line where what is broken began, and counts it from 0 unless its scanner complains.
  [[nodiscard]] std::string Version3Problem() const {
    const std::size_t line =
        parser_.context_mark.line != 0 ? parser_.context_mark.line : parser_.problem_mark.line;
    std::string text = "yaml: ";
    if (line != 0) {
      const std::size_t shown = parser_.error == YAML_SCANNER_ERROR ? line + 1 : line;
      text += "line " + std::to_string(shown) + ": ";
    }
    return text + parser_.problem;
  }

  // yes, on and their like, where they are no booleans.
  [[nodiscard]] bool IsWordOnly(std::string_view text) const {
    if (options_.dialect != YamlDialect::kVersion3 || text.empty() || text.size() > 3) {
      return false;
    }
    const Kind kind = ResolveYamlScalar(text).kind;
    return kind == Kind::kTrue || kind == Kind::kFalse;
  }

  [[nodiscard]] Position PositionAt(std::size_t offset) const {
    const std::string_view before = text_.substr(0, std::min(offset, text_.size()));
    const std::size_t line_break = before.rfind('\n');
    const std::size_t column =
        line_break == std::string_view::npos ? before.size() : before.size() - line_break - 1;
    return {.file = options_.file,
            .line = static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
            .column = static_cast<std::uint32_t>(column + 1)};
  }

  // libyaml counts columns in characters.
  [[nodiscard]] Position PositionOf(const yaml_mark_t& mark) const {
    std::string_view rest = text_;
    for (std::size_t line = 0; line < mark.line; ++line) {
      rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + (rest.empty() ? 0 : 1));
      if (rest.empty()) {
        break;
      }
    }
    std::size_t column = 0;
    for (std::size_t i = 0; i < mark.column && !rest.empty(); ++i) {
      const std::size_t size = std::max<std::uint32_t>(DecodeRune(rest).size, 1);
      rest.remove_prefix(size);
      column += size;
    }
    return {.file = options_.file,
            .line = static_cast<std::uint32_t>(mark.line + 1),
            .column = static_cast<std::uint32_t>(column + 1)};
  }

  std::unexpected<Error> Refuse(const yaml_mark_t& mark, std::string message,
                                ErrorCode code = ErrorCode::kInvalidArgument) {
    return Fail(code, "invalid YAML: " + std::move(message), PositionOf(mark));
  }

  [[nodiscard]] bool IsEmptyScalar() const {
    return event_->type == YAML_SCALAR_EVENT && event_->data.scalar.length == 0 &&
           event_->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           event_->data.scalar.tag == nullptr && event_->data.scalar.anchor == nullptr;
  }

  // The node that the current event begins; the current event is its last afterwards.
  Result<Node> ReadNode(std::uint32_t depth) {
    switch (event_->type) {
      case YAML_ALIAS_EVENT:
        return ReadAlias(depth);
      case YAML_SCALAR_EVENT:
        return ReadScalar();
      case YAML_SEQUENCE_START_EVENT:
        return ReadContainer(View(event_->data.sequence_start.anchor), depth, false);
      case YAML_MAPPING_START_EVENT:
        return ReadContainer(View(event_->data.mapping_start.anchor), depth, true);
      default:
        return Refuse(event_->start_mark, "expected a value");
    }
  }

  Result<Node> ReadContainer(std::string_view anchor_name, std::uint32_t depth, bool mapping) {
    const std::string anchor(anchor_name);
    if (depth >= options_.max_depth) {
      return TooDeep();
    }
    if (!anchor.empty()) {
      anchors_.insert_or_assign(anchor, Anchor{});
    }
    Node node = TRY(mapping ? ReadMapping(depth + 1) : ReadSequence(depth + 1));
    if (!anchor.empty()) {
      anchors_.insert_or_assign(anchor, Anchor{node.value, node.extent, false});
    }
    return node;
  }

  std::unexpected<Error> TooDeep() {
    return Refuse(event_->start_mark,
                  "more than " + std::to_string(options_.max_depth) + " levels deep",
                  ErrorCode::kExhausted);
  }

  Result<Node> ReadAlias(std::uint32_t depth) {
    const std::string name(View(event_->data.alias.anchor));
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      return Refuse(event_->start_mark, "unknown anchor '" + name + "'",
                    "yaml: unknown anchor '" + name + "' referenced");
    }
    const Anchor& anchor = found->second;
    if (anchor.open) {
      return Refuse(event_->start_mark, "the value of anchor '" + name + "' contains itself",
                    "yaml: anchor '" + name + "' value contains itself");
    }
    if (depth + anchor.extent.levels > options_.max_depth) {
      return TooDeep();
    }
    unfolded_ += anchor.extent.bytes;
    if (unfolded_ > options_.max_bytes) {
      return Refuse(event_->start_mark,
                    "aliases unfold to more than " + std::to_string(options_.max_bytes) + " bytes",
                    ErrorCode::kExhausted);
    }
    return Node{
        .value = anchor.value, .extent = anchor.extent, .mark = event_->start_mark, .alias = true};
  }

  Result<Node> ReadSequence(std::uint32_t depth) {
    Node node{.mark = event_->start_mark};
    node.extent = {.bytes = kNodeBytes, .levels = 1};
    ArrayBuilder items(arena_);
    while (true) {
      TRY(Advance());
      if (event_->type == YAML_SEQUENCE_END_EVENT) {
        node.value = items.Finish();
        return node;
      }
      const Node item = TRY(ReadNode(depth));
      items.Add(item.value);
      node.extent.Include(item.extent);
    }
  }

  struct Entry {
    Member member;
    yaml_mark_t mark;
    bool merged = false;
  };

  Result<Node> ReadMapping(std::uint32_t depth) {
    Node node{.mark = event_->start_mark};
    node.extent = {.bytes = kNodeBytes, .levels = 1};
    std::vector<Entry> entries;
    std::vector<Entry> merged;  // OPA: what has the least weight first.
    while (true) {
      TRY(Advance());
      if (event_->type == YAML_MAPPING_END_EVENT) {
        entries.insert(entries.begin(), merged.begin(), merged.end());
        node.value = TRY(FinishMapping(&entries));
        return node;
      }
      const Node key = TRY(ReadNode(depth));
      const Value name = key.merge_key ? Value() : TRY(ToKey(key));
      TRY(Advance());
      const bool sequence = event_->type == YAML_SEQUENCE_START_EVENT;
      const Node value = TRY(ReadNode(depth));
      node.extent.Include(key.extent);
      node.extent.Include(value.extent);
      if (key.merge_key) {
        std::vector<Entry> found;
        TRY(Merge(value, sequence, &found));
        if (opa()) {
          merged.insert(merged.begin(), found.begin(), found.end());
        } else {
          entries.insert(entries.end(), found.begin(), found.end());
        }
        continue;
      }
      entries.push_back({{name, value.value}, key.mark});
    }
  }

  // Entries of equal keys: the last counts. That holds for merged ones too, wherever << stands, as in kubectl.
  Result<Value> FinishMapping(std::vector<Entry>* entries) {
    const auto key = [](const Entry& entry) { return entry.member.key.string(); };
    std::ranges::stable_sort(*entries, {}, key);
    ObjectBuilder members(arena_);
    for (std::size_t i = 0; i < entries->size(); ++i) {
      const Entry& entry = (*entries)[i];
      members.Add(entry.member.key, entry.member.value);
      const bool repeated = i > 0 && key(entry) == key((*entries)[i - 1]);
      if (repeated && !entry.merged && !(*entries)[i - 1].merged &&
          options_.duplicates == DuplicateKeys::kReject) {
        return Refuse(entry.mark, "the key " + ToJson(entry.member.key) + " is there twice");
      }
    }
    return members.Finish();
  }

  Result<void> Merge(const Node& from, bool sequence, std::vector<Entry>* entries) {
    const auto add = [&](const Value& object) {
      for (std::uint32_t i = 0; i < object.size(); ++i) {
        entries->push_back({{object.KeyAt(i), object.ValueAt(i)}, from.mark, true});
      }
    };
    if (from.value.is_object()) {
      add(from.value);
      return {};
    }
    bool good = sequence;
    // Earlier ones take precedence.
    for (std::uint32_t i = from.value.size(); good && i > 0; --i) {
      const Value object = from.value.ItemAt(i - 1);
      good = object.is_object();
      add(object);
    }
    if (!good) {
      return Refuse(from.mark, "<< needs a mapping, or a sequence of mappings",
                    "yaml: map merge requires map or sequence of maps as the value");
    }
    return {};
  }

  // JSON's keys are strings: others become one, as sigs.k8s.io/yaml spells them.
  Result<Value> ToKey(const Node& key) {
    switch (key.value.type()) {
      case Type::kString:
        return key.value;
      case Type::kBoolean:
        return Value::String(key.value.is_true() ? "true" : "false");
      case Type::kNumber:
        return CopyText(key.alias ? NumberText(key.value) : key_text_);
      default:
        return Refuse(key.mark, "a key must be a string, a number or a boolean",
                      key.value.is_null()
                          ? "unsupported map key of type: %!s(<nil>), key: <nil>, value: <nil>"
                          : "yaml: invalid map key: " + ToRego(key.value));
    }
  }

  Result<Node> ReadScalar() {
    const auto& scalar = event_->data.scalar;
    Node node{.mark = event_->start_mark};
    const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    const std::string_view tag = View(scalar.tag);
    const std::string_view short_tag =
        tag.starts_with(kTagPrefix) ? tag.substr(kTagPrefix.size()) : "";
    if (scalar.plain_implicit != 0 && tag.empty()) {
      const YamlScalar meaning = IsWordOnly(text) ? YamlScalar{} : ResolveYamlScalar(text, schema_);
      node.merge_key = meaning.kind == Kind::kMerge;
      node.value = TRY(ToValue(meaning, text));
    } else if (short_tag == "binary") {
      node.value = TRY(DecodeBinary(text));
    } else if (short_tag == "merge") {
      node.merge_key = text == "<<";
      node.value = CopyText(text);
    } else if (short_tag == "bool" || short_tag == "int" || short_tag == "float" ||
               short_tag == "null" || short_tag == "timestamp") {
      node.value = TRY(ToTagged(short_tag, text));
    } else {
      node.value = CopyText(text);
    }
    node.extent.bytes = text.size() + kNodeBytes;
    if (const std::string_view anchor = View(scalar.anchor); !anchor.empty()) {
      anchors_.insert_or_assign(std::string(anchor), Anchor{node.value, node.extent, false});
    }
    return node;
  }

  Value CopyText(std::string_view text) { return Value::String(arena_.CopyString(text)); }

  static std::string_view TagOf(Kind kind) {
    switch (kind) {
      case Kind::kNull:
        return "!!null";
      case Kind::kFalse:
      case Kind::kTrue:
        return "!!bool";
      case Kind::kInt:
      case Kind::kUnsigned:
        return "!!int";
      case Kind::kFloat:
      case Kind::kNotFinite:
        return "!!float";
      case Kind::kTimestamp:
        return "!!timestamp";
      case Kind::kMerge:
        return "!!merge";
      case Kind::kString:
        break;
    }
    return "!!str";
  }

  Result<Value> ToTagged(std::string_view tag, std::string_view text) {
    YamlScalar meaning = ResolveYamlScalar(text, schema_);
    if (tag == "float" && meaning.kind == Kind::kInt) {
      meaning = {.kind = Kind::kFloat, .real = static_cast<double>(meaning.integer)};
    }
    const bool number = meaning.kind == Kind::kInt || meaning.kind == Kind::kUnsigned;
    const bool real = meaning.kind == Kind::kFloat || meaning.kind == Kind::kNotFinite;
    const bool boolean = meaning.kind == Kind::kTrue || meaning.kind == Kind::kFalse;
    const bool fits = (tag == "int" && number) || (tag == "float" && real) ||
                      (tag == "bool" && boolean) ||
                      (tag == "null" && meaning.kind == Kind::kNull) ||
                      (tag == "timestamp" && meaning.kind == Kind::kTimestamp);
    if (!fits) {
      return Refuse(event_->start_mark,
                    "'" + std::string(text) + "' is not of the tag !!" + std::string(tag),
                    "yaml: cannot decode " + std::string(TagOf(meaning.kind)) + " `" +
                        std::string(text) + "` as a !!" + std::string(tag));
    }
    return ToValue(meaning, text);
  }

  // Leaves in key_text_ how a number is spelt as a key.
  Result<Value> ToValue(const YamlScalar& scalar, std::string_view text) {
    switch (scalar.kind) {
      case Kind::kNull:
        return Value::Null();
      case Kind::kFalse:
      case Kind::kTrue:
        return Value::Boolean(scalar.kind == Kind::kTrue);
      case Kind::kInt:
        key_text_ = std::to_string(scalar.integer);
        return ToNumber(key_text_);
      case Kind::kUnsigned:
        key_text_ = std::to_string(scalar.natural);
        return ToNumber(key_text_);
      case Kind::kFloat:
        SpellFloatKey(scalar.real);
        return ToNumber(GoJsonFloat(scalar.real));
      case Kind::kNotFinite:
        return Refuse(event_->start_mark,
                      "'" + std::string(text) +
                          "' is a number that JSON cannot hold; quote it to make it a string",
                      std::string("json: unsupported value: ") +
                          (text.ends_with('n') || text.ends_with('N') ? "NaN"
                           : text.starts_with('-')                    ? "-Inf"
                                                                      : "+Inf"));
      case Kind::kString:
      case Kind::kTimestamp:
      case Kind::kMerge:
        break;
    }
    return CopyText(text);
  }

  void SpellFloatKey(double value) {
    key_text_.clear();
    const auto narrow = static_cast<float>(value);
    if (!std::isfinite(narrow)) {
      key_text_ = narrow < 0 ? "-.inf" : ".inf";
      return;
    }
    std::array<char, 32> buffer;
    const auto end = std::to_chars(buffer.begin(), buffer.end(), narrow);
    // The shortest digits of the float32, spelt as Go spells those of a float64.
    AppendGoFloat(DecimalToDouble({buffer.begin(), end.ptr}), &key_text_);
  }

  Value ToNumber(std::string_view spelling) {
    if (options_.numbers == NumberMode::kFloat64) {
      return Value::Float(DecimalToDouble(spelling));
    }
    const auto whole = CanonicalInt64(spelling);
    return whole ? Value::Int(*whole) : Value::Decimal(arena_.CopyString(spelling));
  }

  Result<Value> DecodeBinary(std::string_view text) {
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    std::size_t padding = 0;
    for (const char c : text) {
      if (c == '\n' || c == '\r') {
        continue;
      }
      constexpr std::string_view kAlphabet =
          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
      const std::size_t digit = kAlphabet.find(c);
      padding += c == '=' ? 1 : 0;
      if (c != '=' && (digit == std::string_view::npos || padding > 0)) {
        return Refuse(event_->start_mark, "!!binary with what is not base64");
      }
      bits = bits << 6 | static_cast<std::uint32_t>(c == '=' ? 0 : digit);
      if (++count == 4) {
        bytes +=
            {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8), static_cast<char>(bits)};
        bits = 0;
        count = 0;
      }
    }
    if (count != 0 || padding > 2 || padding > bytes.size()) {
      return Refuse(event_->start_mark, "!!binary with what is not base64");
    }
    bytes.resize(bytes.size() - padding);
    return CopyText(ReplaceInvalidUtf8(bytes));
  }

  const std::string_view text_;
  Arena& arena_;
  const ParseOptions& options_;
  const YamlSchema schema_;
  yaml_parser_t parser_{};
  bool initialized_ = false;
  Event event_;
  std::unordered_map<std::string, Anchor> anchors_;
  std::uint64_t unfolded_ = 0;
  std::string key_text_;
};

}  // namespace

Result<std::vector<YamlDocument>> ParseYaml(std::string_view text, Arena& arena,
                                            const ParseOptions& options, YamlSchema schema) {
  if (text.size() > options.max_bytes) {
    return Fail(ErrorCode::kExhausted, "YAML of " + std::to_string(text.size()) +
                                           " bytes: at most " + std::to_string(options.max_bytes) +
                                           " are read");
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.data() == nullptr) {
    text = "";  // libyaml asserts that there are bytes.
  }
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (schema == YamlSchema::kKubectl && first != std::string_view::npos &&
      (text[first] == '{' || text[first] == '[')) {
    // JSON keeps the spelling of its numbers. What only looks like JSON is read as YAML below.
    if (const Result<Value> json = ParseJson(text, arena, options)) {
      const auto line = std::ranges::count(text.substr(0, first), '\n') + 1;
      return std::vector<YamlDocument>{{*json, static_cast<std::uint32_t>(line)}};
    }
  }
  return YamlReader(text, arena, options, schema).Read();
}

}  // namespace portcullis::document
