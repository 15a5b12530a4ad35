// The YAML of an annotation: decoded as Go's yaml.v3 decodes it into OPA's structure, with its texts.

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "base/error.h"
#include "document/yaml_tree.h"
#include "rules/builtins/uri.h"
#include "rules/rego/annotations.h"
#include "rules/rego/compilation.h"
#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

using document::YamlTree;
using Kind = YamlTree::Kind;
using Node = std::shared_ptr<const YamlTree>;

constexpr std::string_view kStringType = "string";
constexpr std::string_view kListType = "[]interface {}";
constexpr std::string_view kMapType = "map[string]interface {}";
// Beyond this the aliases of a text are taken for an attack.
constexpr std::uint64_t kMaximumNodes = 100'000;

TermPtr NewTerm(TermKind kind, std::string text = {}) {
  auto term = std::make_unique<Term>();
  term->kind = kind;
  term->text = std::move(text);
  return term;
}

TermPtr NewText(std::string text) {
  return NewTerm(TermKind::kString, std::move(text));
}

void AddMember(Term& object, std::string key, TermPtr value) {
  object.items.push_back(NewText(std::move(key)));
  object.items.push_back(std::move(value));
}

void AddText(Term& object, std::string key, std::string text) {
  if (!text.empty()) {
    AddMember(object, std::move(key), NewText(std::move(text)));
  }
}

std::string Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n\v\f\r");
  if (first == std::string_view::npos) {
    return {};
  }
  return std::string(text.substr(first, text.find_last_not_of(" \t\n\v\f\r") + 1 - first));
}

// "2020-1-2" and longer, as Go's encoding/json writes the time: dates alone are midnight, UTC.
std::string JsonTime(const std::string& text) {
  if (text.find_first_of("tT :") != std::string::npos) {
    return text;
  }
  std::string out = text.substr(0, 4);
  for (std::size_t at = 4; at < text.size();) {
    const std::size_t end = std::min(text.find('-', at + 1), text.size());
    const std::string part = text.substr(at + 1, end - at - 1);
    out += '-' + (part.size() < 2 ? "0" + part : part);
    at = end;
  }
  return out + "T00:00:00Z";
}

// A tree without aliases. In maps the last of equal keys counts.
struct Plain {
  Kind kind = Kind::kNull;
  std::string text;  // Of strings and times as written, of numbers as Go prints them.
  bool boolean = false;
  bool text_keys = true;     // Of maps.
  std::vector<Plain> items;  // Of sequences.
  std::map<std::string, Plain, std::less<>>
      members;  // Of maps; keys that are no strings as they print.

  [[nodiscard]] const Plain* Find(std::string_view key) const {
    auto found = members.find(key);
    return found == members.end() ? nullptr : &found->second;
  }
};

// Decodes a tree, and gathers what does not fit.
class Decoder {
 public:
  std::vector<std::string> errors;
  bool exceeded = false;

  static const YamlTree& Target(const YamlTree& node) {
    return node.kind == Kind::kAlias ? Target(*node.items[0]) : node;
  }

  void Refuse(const YamlTree& node, std::string_view type) {
    std::string value;
    if (node.IsScalar()) {
      value = " `" + (node.text.size() > 10 ? node.text.substr(0, 7) + "..." : node.text) + '`';
    }
    errors.push_back("line " + std::to_string(node.line) + ": cannot unmarshal " +
                     std::string(node.Tag()) + value + " into " + std::string(type));
  }

  // False: nothing is to be stored.
  bool Text(const YamlTree& alias, std::string& out) {
    const YamlTree& node = Target(alias);
    if (node.kind == Kind::kNull) {
      return false;
    }
    if (!node.IsScalar()) {
      Refuse(node, kStringType);
      return false;
    }
    out = node.text;
    return true;
  }

  void Boolean(const YamlTree& alias, bool& out) {
    const YamlTree& node = Target(alias);
    static constexpr std::string_view kYes[] = {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON"};
    static constexpr std::string_view kNo[] = {"n", "N", "no", "No", "NO", "off", "Off", "OFF"};
    if (node.kind == Kind::kBoolean) {
      out = node.boolean;
    } else if (node.kind == Kind::kString && std::ranges::find(kYes, node.text) != std::end(kYes)) {
      out = true;
    } else if (node.kind == Kind::kString && std::ranges::find(kNo, node.text) != std::end(kNo)) {
      out = false;
    } else if (node.kind != Kind::kNull) {
      Refuse(node, "bool");
    }
  }

  // Calls `each` with the items of a sequence.
  void List(const YamlTree& alias, std::string_view type,
            const std::function<void(const YamlTree&)>& each) {
    const YamlTree& node = Target(alias);
    if (node.kind == Kind::kNull) {
      return;
    }
    if (node.kind != Kind::kSequence) {
      return Refuse(node, type);
    }
    for (const Node& item : node.items) {
      each(*item);
    }
  }

  // A map with strings as keys; false where it is none.
  bool Map(const YamlTree& alias, Plain& out) {
    const YamlTree& node = Target(alias);
    if (node.kind == Kind::kNull) {
      return false;
    }
    if (node.kind != Kind::kMapping) {
      Refuse(node, kMapType);
      return false;
    }
    out.kind = Kind::kMapping;
    return Members(node, out, true);
  }

  bool Any(const YamlTree& alias, Plain& out) {
    const YamlTree& node = Target(alias);
    if (++decoded_ > kMaximumNodes) {
      exceeded = true;
      return false;
    }
    out.kind = node.kind;
    out.boolean = node.boolean;
    out.text = node.number.empty() ? node.text : node.number;
    if (node.kind == Kind::kSequence) {
      for (const Node& item : node.items) {
        Plain value;
        if (Any(*item, value)) {
          out.items.push_back(std::move(value));
        }
      }
    }
    return node.kind != Kind::kMapping || Members(node, out, false);
  }

  // The keys of a map are all different.
  bool CheckKeys(const YamlTree& node) {
    const std::size_t before = errors.size();
    for (std::size_t i = 0; i < node.items.size(); i += 2) {
      const YamlTree& first = *node.items[i];
      for (std::size_t j = i + 2; j < node.items.size(); j += 2) {
        const YamlTree& second = *node.items[j];
        if (first.IsScalar() == second.IsScalar() && first.text == second.text) {
          errors.push_back("line " + std::to_string(second.line) + ": mapping key " +
                           Quote(second.text) + " already defined at line " +
                           std::to_string(first.line));
        }
      }
    }
    return errors.size() == before;
  }

 private:
  bool Members(const YamlTree& node, Plain& out, bool text_keys) {
    if (!CheckKeys(node)) {
      return false;
    }
    for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const YamlTree& key = Target(*node.items[i]);
      if (IsMerge(*node.items[i])) {
        Merge(*node.items[i + 1], out, text_keys);
        continue;
      }
      std::string name;
      if (text_keys ? !Text(key, name) : !key.IsScalar()) {
        continue;
      }
      name = key.text;
      out.text_keys = out.text_keys && (text_keys || key.kind == Kind::kString);
      Plain value;
      if (Any(*node.items[i + 1], value)) {
        out.members.insert_or_assign(std::move(name), std::move(value));
      }
    }
    return true;
  }

  static bool IsMerge(const YamlTree& key) { return key.kind == Kind::kString && key.text == "<<"; }

  // Members of another map, where there are none of the name.
  void Merge(const YamlTree& alias, Plain& out, bool text_keys) {
    const YamlTree& node = Target(alias);
    if (node.kind == Kind::kSequence) {
      for (const Node& item : node.items) {
        Merge(*item, out, text_keys);
      }
      return;
    }
    Plain other;
    if (node.kind == Kind::kMapping && Members(node, other, text_keys)) {
      out.members.merge(other.members);
    }
  }

  std::uint64_t decoded_ = 0;
};

// "%s" of Go's fmt.
std::string GoText(const Plain& value) {
  switch (value.kind) {
    case Kind::kNull:
      return "%!s(<nil>)";
    case Kind::kBoolean:
      return value.boolean ? "%!s(bool=true)" : "%!s(bool=false)";
    case Kind::kInteger:
      return "%!s(int=" + value.text + ")";
    case Kind::kFloat:
      return "%!s(float64=" + value.text + ")";
    case Kind::kSequence: {
      std::string out = "[";
      for (const Plain& item : value.items) {
        out += (out.size() == 1 ? "" : " ") + GoText(item);
      }
      return out + "]";
    }
    case Kind::kMapping: {
      std::string out = "map[";
      for (const auto& [key, member] : value.members) {
        out += (out.size() == 4 ? "" : " ") + key + ":" + GoText(member);
      }
      return out + "]";
    }
    default:
      return value.text;
  }
}

// JSON has strings as keys. ERRORS: OPA's text.
std::expected<TermPtr, std::string> ToTerm(const Plain& value, const std::string& path) {
  auto below = [&](const std::string& name) { return path.empty() ? name : path + "/" + name; };
  switch (value.kind) {
    case Kind::kNull:
      return NewTerm(TermKind::kNull);
    case Kind::kBoolean: {
      TermPtr term = NewTerm(TermKind::kBoolean);
      term->boolean = value.boolean;
      return term;
    }
    case Kind::kInteger:
    case Kind::kFloat:
      return NewTerm(TermKind::kNumber, value.text);
    case Kind::kSequence: {
      TermPtr array = NewTerm(TermKind::kArray);
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        array->items.push_back(TRY(ToTerm(value.items[i], below(std::to_string(i)))));
      }
      return array;
    }
    case Kind::kMapping: {
      if (!value.text_keys) {
        return std::unexpected("invalid map key type(s): " + path);
      }
      TermPtr object = NewTerm(TermKind::kObject);
      for (const auto& [key, member] : value.members) {
        auto term = TRY(ToTerm(member, below(key)));
        AddMember(*object, key, std::move(term));
      }
      Normalize(*object);
      return object;
    }
    case Kind::kTimestamp:
      return NewText(JsonTime(value.text));
    default:
      return NewText(value.text);
  }
}

// A member of a map that is a string; else empty.
std::string MemberText(const Plain& map, std::string_view key) {
  const Plain* member = map.Find(key);
  return member != nullptr && member->kind == Kind::kString ? Trimmed(member->text) : "";
}

using Part = std::expected<TermPtr, std::string>;

Part AuthorOfText(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = text.find_first_not_of(" \t\n\v\f\r"); at != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(" \t\n\v\f\r", at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(" \t\n\v\f\r", end);
  }
  if (words.empty()) {
    return std::unexpected("author is an empty string");
  }
  std::string email;
  if (const std::string& last = words.back();
      last.size() >= 2 && last.front() == '<' && last.back() == '>') {
    email = last.substr(1, last.size() - 2);
    words.pop_back();
  }
  std::string name;
  for (const std::string& word : words) {
    name += (name.empty() ? "" : " ") + word;
  }
  TermPtr author = NewTerm(TermKind::kObject);
  AddText(*author, "email", std::move(email));
  AddText(*author, "name", std::move(name));
  return author;
}

Part Author(const Plain& value) {
  TRY(ToTerm(value, ""));  // Its keys must be strings.
  if (value.kind == Kind::kString) {
    return AuthorOfText(value.text);
  }
  if (value.kind != Kind::kMapping) {
    return std::unexpected("invalid value type, must be string or map");
  }
  TermPtr author = NewTerm(TermKind::kObject);
  AddText(*author, "email", MemberText(value, "email"));
  AddText(*author, "name", MemberText(value, "name"));
  if (author->items.empty()) {
    return std::unexpected("'name' and/or 'email' values required in object");
  }
  return author;
}

Part RelatedResource(const Plain& value) {
  TRY(ToTerm(value, ""));
  std::string ref;
  std::string description;
  if (value.kind == Kind::kString) {
    ref = value.text;
    if (ref.empty()) {
      return std::unexpected("ref URL may not be empty string");
    }
  } else if (value.kind == Kind::kMapping) {
    ref = MemberText(value, "ref");
    description = MemberText(value, "description");
    if (ref.empty()) {
      return std::unexpected("'ref' value required in object");
    }
  } else {
    return std::unexpected("invalid value type, must be string or map");
  }
  const auto uri = TRY(builtins::ParseUri(ref));
  TermPtr resource = NewTerm(TermKind::kObject);
  AddText(*resource, "description", std::move(description));
  AddText(*resource, "ref", uri.Text());
  return resource;
}

TermPtr PathOf(const Term& term) {
  TermPtr path = NewTerm(TermKind::kArray);
  for (const TermPtr& item : term.items) {
    path->items.push_back(item->IsVar() ? NewText(item->text) : Clone(*item));
  }
  return path;
}

// An entry of `schemas`: one reference and its schema.
Part Schema(const Plain& entry) {
  const std::string key = entry.members.empty() ? "" : entry.members.begin()->first;
  const Plain value = entry.members.empty() ? Plain() : entry.members.begin()->second;
  auto path = ParseOneTerm(key);
  if (!path || (*path)->kind != TermKind::kRef) {
    return std::unexpected("invalid document reference");
  }
  TermPtr schema = NewTerm(TermKind::kObject);
  if (value.kind == Kind::kString) {
    auto name = ParseOneTerm(value.text);
    const bool bare = name && (*name)->IsVar() && (*name)->text == "schema";
    if (!bare && !(name && (*name)->kind == TermKind::kRef && (*name)->items[0]->IsVar() &&
                   (*name)->items[0]->text == "schema")) {
      return std::unexpected("invalid schema reference");
    }
    if (bare) {
      std::vector<TermPtr> items;
      items.push_back(std::move(*name));
      name = NewRef(std::move(items), {});
    }
    AddMember(*schema, "schema", PathOf(**name));
  } else if (value.kind == Kind::kMapping && value.text_keys) {
    auto definition = ToTerm(value, "");
    if (!definition) {
      return std::unexpected("invalid schema definition: " + definition.error());
    }
    AddMember(*schema, "definition", std::move(*definition));
  } else {
    return std::unexpected("invalid schema declaration for path " + Quote(key));
  }
  AddMember(*schema, "path", PathOf(**path));
  Normalize(*schema);
  return schema;
}

// What `compile` says is for partial evaluation: only its form counts here.
std::expected<void, std::string> CheckCompile(const Plain& compile) {
  if (const Plain* unknowns = compile.Find("unknowns")) {
    for (const Plain& unknown : unknowns->items) {
      if (unknown.kind != Kind::kString) {
        continue;
      }
      const std::string where = "invalid unknowns element " + Quote(unknown.text) + ": ";
      const auto term = ParseOneTerm(unknown.text);
      if (!term) {
        return std::unexpected(where + "failed to parse ref: " + term.error());
      }
      if ((*term)->kind != TermKind::kRef) {
        return std::unexpected(where + "expected ref but got " + ToString(**term));
      }
    }
  }
  const Plain* mask = compile.Find("mask_rule");
  if (mask == nullptr || mask->kind != Kind::kString) {
    return {};
  }
  const auto term = ParseOneTerm(mask->text);
  if (!term) {
    return std::unexpected("invalid mask_rule annotation " + Quote(mask->text) + ": " +
                           term.error());
  }
  if (!(*term)->IsVar() && (*term)->kind != TermKind::kString && (*term)->kind != TermKind::kRef) {
    return std::unexpected("invalid mask_rule annotation type " + Quote(mask->text) + ": string");
  }
  return {};
}

// The fields of an annotation as they stand in the YAML.
class Content {
 public:
  explicit Content(Decoder& decoder) : decoder_(decoder) {}

  void Read(const YamlTree& root) {
    const YamlTree& node = Decoder::Target(root);
    if (node.kind == Kind::kNull) {
      return;
    }
    if (node.kind != Kind::kMapping) {
      return decoder_.Refuse(node, "ast.rawAnnotation");
    }
    if (!decoder_.CheckKeys(node)) {
      return;
    }
    for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
      std::string name;
      if (decoder_.Text(*node.items[i], name)) {
        ReadField(name, *node.items[i + 1]);
      }
    }
  }

  // ERRORS: the message.
  std::expected<Annotation, std::string> Finish() {
    Annotation annotation;
    annotation.scope = scope_;
    annotation.entrypoint = entrypoint_;
    annotation.content = NewTerm(TermKind::kObject);
    Term& object = *annotation.content;
    AddText(object, "title", title_);
    AddText(object, "description", description_);
    if (entrypoint_) {
      AddMember(object, "entrypoint", NewTerm(TermKind::kBoolean));
      object.items.back()->boolean = true;
    }
    if (!organizations_.empty()) {
      TermPtr list = NewTerm(TermKind::kArray);
      for (const std::string& name : organizations_) {
        list->items.push_back(NewText(name));
      }
      AddMember(object, "organizations", std::move(list));
    }
    TRY(AddParts(object, "related_resources", resources_, [](const Plain& value) {
      return Named(RelatedResource(value), "invalid related-resource definition ", value);
    }));
    TRY(CheckCompile(compile_));
    TRY(AddParts(object, "schemas", schemas_, Schema));
    TRY(AddParts(object, "authors", authors_, [](const Plain& value) {
      return Named(Author(value), "invalid author definition ", value);
    }));
    TRY(AddMap(object, "custom", custom_));
    TRY(AddMap(object, "labels", labels_));
    Normalize(object);
    return annotation;
  }

 private:
  void ReadField(const std::string& name, const YamlTree& value) {
    if (name == "scope") {
      decoder_.Text(value, scope_);
    } else if (name == "title") {
      decoder_.Text(value, title_);
    } else if (name == "description") {
      decoder_.Text(value, description_);
    } else if (name == "entrypoint") {
      decoder_.Boolean(value, entrypoint_);
    } else if (name == "organizations") {
      decoder_.List(value, "[]string", [&](const YamlTree& item) {
        std::string text;
        if (decoder_.Text(item, text)) {
          organizations_.push_back(std::move(text));
        }
      });
    } else if (name == "related_resources") {
      ReadList(value, kListType, resources_, &Decoder::Any);
    } else if (name == "authors") {
      ReadList(value, kListType, authors_, &Decoder::Any);
    } else if (name == "schemas") {
      ReadList(value, "[]map[string]interface {}", schemas_, &Decoder::Map);
    } else if (name == "compile") {
      decoder_.Map(value, compile_);
    } else if (name == "custom") {
      decoder_.Map(value, custom_);
    } else if (name == "labels") {
      decoder_.Map(value, labels_);
    }
  }

  void ReadList(const YamlTree& value, std::string_view type, std::vector<Plain>& out,
                bool (Decoder::*read)(const YamlTree&, Plain&)) {
    decoder_.List(value, type, [&](const YamlTree& item) {
      Plain plain;
      if ((decoder_.*read)(item, plain)) {
        out.push_back(std::move(plain));
      }
    });
  }

  static Part Named(Part part, std::string_view what, const Plain& value) {
    if (!part) {
      return std::unexpected(std::string(what) + GoText(value) + ": " + part.error());
    }
    return part;
  }

  static std::expected<void, std::string> AddParts(Term& object, std::string name,
                                                   const std::vector<Plain>& values,
                                                   const std::function<Part(const Plain&)>& make) {
    TermPtr list = NewTerm(TermKind::kArray);
    for (const Plain& value : values) {
      list->items.push_back(TRY(make(value)));
    }
    if (!list->items.empty()) {
      AddMember(object, std::move(name), std::move(list));
    }
    return {};
  }

  static std::expected<void, std::string> AddMap(Term& object, std::string name, const Plain& map) {
    TermPtr members = NewTerm(TermKind::kObject);
    for (const auto& [key, value] : map.members) {
      auto term = TRY(ToTerm(value, ""));
      AddMember(*members, key, std::move(term));
    }
    if (!members->items.empty()) {
      Normalize(*members);
      AddMember(object, std::move(name), std::move(members));
    }
    return {};
  }

  Decoder& decoder_;
  std::string scope_;
  std::string title_;
  std::string description_;
  bool entrypoint_ = false;
  std::vector<std::string> organizations_;
  std::vector<Plain> resources_;
  std::vector<Plain> authors_;
  std::vector<Plain> schemas_;
  Plain compile_;
  Plain custom_;
  Plain labels_;
};

// The number N of "line N: …", at the start; -1: there is none.
int LineOf(std::string_view message) {
  constexpr std::string_view kLine = "line ";
  int line = -1;
  if (message.starts_with(kLine)) {
    message.remove_prefix(kLine.size());
    std::from_chars(message.data(), message.data() + message.size(), line);
  }
  return line;
}

}  // namespace

std::expected<TermPtr, std::string> ParseOneTerm(const std::string& text) {
  auto body = ParseQuery(text);
  if (!body) {
    return std::unexpected("failed to parse term: " + ToString(body.error()));
  }
  if (body->size() != 1) {
    return std::unexpected("expected exactly one term but got: " + ToString(*body));
  }
  Expr& expr = *body->front();
  if (expr.kind != ExprKind::kTerm) {
    return std::unexpected("expected term but got " + ToString(expr));
  }
  return std::move(expr.terms[0]);
}

std::expected<Annotation, AnnotationFault> DecodeAnnotation(std::string_view yaml) {
  const auto root = document::ParseYamlTree(yaml);
  if (!root) {
    return std::unexpected(
        AnnotationFault{"yaml: " + root.error(), std::max(LineOf(root.error()), 0)});
  }
  Decoder decoder;
  Content content(decoder);
  if (*root) {
    content.Read(**root);
  }
  if (decoder.exceeded) {
    return std::unexpected(AnnotationFault{"yaml: document contains excessive aliasing", 0});
  }
  if (!decoder.errors.empty()) {
    std::string message = "yaml: unmarshal errors:";
    for (const std::string& error : decoder.errors) {
      message += "\n  " + error;
    }
    return std::unexpected(
        AnnotationFault{std::move(message), std::max(LineOf(decoder.errors.front()), 0)});
  }
  auto annotation = content.Finish();
  if (!annotation) {
    return std::unexpected(AnnotationFault{std::move(annotation.error()), -1});
  }
  return std::move(*annotation);
}

}  // namespace portcullis::rego
