// Reads YAML through libyaml: yaml_read.cc its documents, collections and aliases, yaml_read_scalar.cc its scalars and keys.

#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <yaml.h>

#include "document/yaml.h"
#include "document/yaml_scalar.h"

namespace portcullis::document {

// What a value costs beside its text.
inline constexpr std::uint64_t kYamlNodeBytes = sizeof(Value);

// Reads one text, once.
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
  ~YamlReader();
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;
  Result<std::vector<YamlDocument>> Read();

 private:
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

  [[nodiscard]] bool opa() const { return schema_ == YamlSchema::kOpa; }
  // What is wrong here: in our words, or in OPA's.
  std::unexpected<Error> Refuse(const yaml_mark_t& mark, std::string ours, std::string opas);
  // "yaml: line 2: did not find expected key", the line as go-yaml counts it.
  [[nodiscard]] std::string OpasComplaint() const;
  Result<void> Advance();
  // Go's parser names the line where what is broken began, and counts it from 0 unless its scanner complains.
  [[nodiscard]] std::string Version3Problem() const;
  // yes, on and their like, where they are no booleans.
  [[nodiscard]] bool IsWordOnly(std::string_view text) const;
  [[nodiscard]] Position PositionAt(std::size_t offset) const;
  // libyaml counts columns in characters.
  [[nodiscard]] Position PositionOf(const yaml_mark_t& mark) const;
  std::unexpected<Error> Refuse(const yaml_mark_t& mark, std::string message,
                                ErrorCode code = ErrorCode::kInvalidArgument);
  [[nodiscard]] bool IsEmptyScalar() const;
  // The node that the current event begins; the current event is its last afterwards.
  Result<Node> ReadNode(std::uint32_t depth);
  Result<Node> ReadContainer(std::string_view anchor_name, std::uint32_t depth, bool mapping);
  std::unexpected<Error> TooDeep();
  Result<Node> ReadAlias(std::uint32_t depth);
  Result<Node> ReadSequence(std::uint32_t depth);
  struct Entry {
    Member member;
    yaml_mark_t mark;
    bool merged = false;
  };
  Result<Node> ReadMapping(std::uint32_t depth);
  // Entries of equal keys: the last counts. That holds for merged ones too, wherever << stands, as in kubectl.
  Result<Value> FinishMapping(std::vector<Entry>* entries);
  Result<void> Merge(const Node& from, bool sequence, std::vector<Entry>* entries);
  // JSON's keys are strings: others become one, as sigs.k8s.io/yaml spells them.
  Result<Value> ToKey(const Node& key);
  Result<Node> ReadScalar();
  Value CopyText(std::string_view text) { return Value::String(arena_.CopyString(text)); }
  static std::string_view TagOf(YamlScalar::Kind kind);
  Result<Value> ToTagged(std::string_view tag, std::string_view text);
  // Leaves in key_text_ how a number is spelt as a key.
  Result<Value> ToValue(const YamlScalar& scalar, std::string_view text);
  void SpellFloatKey(double value);
  Value ToNumber(std::string_view spelling);
  Result<Value> DecodeBinary(std::string_view text);

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

}  // namespace portcullis::document
