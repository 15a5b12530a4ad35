// The YAML of an annotation: decoded as Go's yaml.v3 decodes it into OPA's structure, with its texts.

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "base/error.h"
#include "document/yaml_tree.h"
#include "rules/builtins/uri.h"
#include "rules/rego/annotation_decoder.h"
#include "rules/rego/annotations.h"
#include "rules/rego/compilation.h"
#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

using document::YamlTree;
using Kind = YamlTree::Kind;
using Node = std::shared_ptr<const YamlTree>;

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

// "%s" of Go's fmt.
std::string GoText(const PlainTree& value) {
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
      for (const PlainTree& item : value.items) {
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
std::expected<TermPtr, std::string> ToTerm(const PlainTree& value, const std::string& path) {
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
std::string MemberText(const PlainTree& map, std::string_view key) {
  const PlainTree* member = map.Find(key);
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

Part Author(const PlainTree& value) {
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

Part RelatedResource(const PlainTree& value) {
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
Part Schema(const PlainTree& entry) {
  const std::string key = entry.members.empty() ? "" : entry.members.begin()->first;
  const PlainTree value = entry.members.empty() ? PlainTree() : entry.members.begin()->second;
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
std::expected<void, std::string> CheckCompile(const PlainTree& compile) {
  if (const PlainTree* unknowns = compile.Find("unknowns")) {
    for (const PlainTree& unknown : unknowns->items) {
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
  const PlainTree* mask = compile.Find("mask_rule");
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
  explicit Content(AnnotationDecoder& decoder) : decoder_(decoder) {}

  void Read(const YamlTree& root) {
    const YamlTree& node = AnnotationDecoder::Target(root);
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
    TRY(AddParts(object, "related_resources", resources_, [](const PlainTree& value) {
      return Named(RelatedResource(value), "invalid related-resource definition ", value);
    }));
    TRY(CheckCompile(compile_));
    TRY(AddParts(object, "schemas", schemas_, Schema));
    TRY(AddParts(object, "authors", authors_, [](const PlainTree& value) {
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
      ReadList(value, kListType, resources_, &AnnotationDecoder::Any);
    } else if (name == "authors") {
      ReadList(value, kListType, authors_, &AnnotationDecoder::Any);
    } else if (name == "schemas") {
      ReadList(value, "[]map[string]interface {}", schemas_, &AnnotationDecoder::Map);
    } else if (name == "compile") {
      decoder_.Map(value, compile_);
    } else if (name == "custom") {
      decoder_.Map(value, custom_);
    } else if (name == "labels") {
      decoder_.Map(value, labels_);
    }
  }

  void ReadList(const YamlTree& value, std::string_view type, std::vector<PlainTree>& out,
                bool (AnnotationDecoder::*read)(const YamlTree&, PlainTree&)) {
    decoder_.List(value, type, [&](const YamlTree& item) {
      PlainTree plain;
      if ((decoder_.*read)(item, plain)) {
        out.push_back(std::move(plain));
      }
    });
  }

  static Part Named(Part part, std::string_view what, const PlainTree& value) {
    if (!part) {
      return std::unexpected(std::string(what) + GoText(value) + ": " + part.error());
    }
    return part;
  }

  static std::expected<void, std::string> AddParts(
      Term& object, std::string name, const std::vector<PlainTree>& values,
      const std::function<Part(const PlainTree&)>& make) {
    TermPtr list = NewTerm(TermKind::kArray);
    for (const PlainTree& value : values) {
      list->items.push_back(TRY(make(value)));
    }
    if (!list->items.empty()) {
      AddMember(object, std::move(name), std::move(list));
    }
    return {};
  }

  static std::expected<void, std::string> AddMap(Term& object, std::string name,
                                                 const PlainTree& map) {
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

  AnnotationDecoder& decoder_;
  std::string scope_;
  std::string title_;
  std::string description_;
  bool entrypoint_ = false;
  std::vector<std::string> organizations_;
  std::vector<PlainTree> resources_;
  std::vector<PlainTree> authors_;
  std::vector<PlainTree> schemas_;
  PlainTree compile_;
  PlainTree custom_;
  PlainTree labels_;
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
  AnnotationDecoder decoder;
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
