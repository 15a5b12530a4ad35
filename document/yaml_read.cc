#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "document/utf8.h"
#include "document/yaml.h"
#include "document/yaml_reader.h"

namespace portcullis::document {
namespace {

using Kind = YamlScalar::Kind;

std::string_view View(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

}  // namespace

YamlReader::~YamlReader() {
  if (initialized_) {
    yaml_parser_delete(&parser_);
  }
}

Result<std::vector<YamlDocument>> YamlReader::Read() {
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

std::unexpected<Error> YamlReader::Refuse(const yaml_mark_t& mark, std::string ours,
                                          std::string opas) {
  return opa() ? Fail(ErrorCode::kInvalidArgument, std::move(opas), PositionOf(mark))
               : Refuse(mark, std::move(ours));
}

std::string YamlReader::OpasComplaint() const {
  std::size_t line =
      parser_.context_mark.line != 0 ? parser_.context_mark.line : parser_.problem_mark.line;
  line += line != 0 && parser_.error == YAML_SCANNER_ERROR ? 1 : 0;
  return "yaml: " + (line == 0 ? "" : "line " + std::to_string(line) + ": ") + parser_.problem;
}

Result<void> YamlReader::Advance() {
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

std::string YamlReader::Version3Problem() const {
  const std::size_t line =
      parser_.context_mark.line != 0 ? parser_.context_mark.line : parser_.problem_mark.line;
  std::string text = "yaml: ";
  if (line != 0) {
    const std::size_t shown = parser_.error == YAML_SCANNER_ERROR ? line + 1 : line;
    text += "line " + std::to_string(shown) + ": ";
  }
  return text + parser_.problem;
}

bool YamlReader::IsWordOnly(std::string_view text) const {
  if (options_.dialect != YamlDialect::kVersion3 || text.empty() || text.size() > 3) {
    return false;
  }
  const Kind kind = ResolveYamlScalar(text).kind;
  return kind == Kind::kTrue || kind == Kind::kFalse;
}

Position YamlReader::PositionAt(std::size_t offset) const {
  const std::string_view before = text_.substr(0, std::min(offset, text_.size()));
  const std::size_t line_break = before.rfind('\n');
  const std::size_t column =
      line_break == std::string_view::npos ? before.size() : before.size() - line_break - 1;
  return {.file = options_.file,
          .line = static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
          .column = static_cast<std::uint32_t>(column + 1)};
}

Position YamlReader::PositionOf(const yaml_mark_t& mark) const {
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

std::unexpected<Error> YamlReader::Refuse(const yaml_mark_t& mark, std::string message,
                                          ErrorCode code) {
  return Fail(code, "invalid YAML: " + std::move(message), PositionOf(mark));
}

bool YamlReader::IsEmptyScalar() const {
  return event_->type == YAML_SCALAR_EVENT && event_->data.scalar.length == 0 &&
         event_->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
         event_->data.scalar.tag == nullptr && event_->data.scalar.anchor == nullptr;
}

Result<YamlReader::Node> YamlReader::ReadNode(std::uint32_t depth) {
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

Result<YamlReader::Node> YamlReader::ReadContainer(std::string_view anchor_name,
                                                   std::uint32_t depth, bool mapping) {
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

std::unexpected<Error> YamlReader::TooDeep() {
  return Refuse(event_->start_mark,
                "more than " + std::to_string(options_.max_depth) + " levels deep",
                ErrorCode::kExhausted);
}

Result<YamlReader::Node> YamlReader::ReadAlias(std::uint32_t depth) {
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

Result<YamlReader::Node> YamlReader::ReadSequence(std::uint32_t depth) {
  Node node{.mark = event_->start_mark};
  node.extent = {.bytes = kYamlNodeBytes, .levels = 1};
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

Result<YamlReader::Node> YamlReader::ReadMapping(std::uint32_t depth) {
  Node node{.mark = event_->start_mark};
  node.extent = {.bytes = kYamlNodeBytes, .levels = 1};
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

Result<Value> YamlReader::FinishMapping(std::vector<Entry>* entries) {
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

Result<void> YamlReader::Merge(const Node& from, bool sequence, std::vector<Entry>* entries) {
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
