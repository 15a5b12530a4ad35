#include "rules/rego/ast_json.h"

#include <string_view>
#include <vector>

#include "document/json.h"

namespace portcullis::rego {
namespace {

using document::JsonStyle;
using document::Value;

std::string_view TypeName(const Value& value) {
  switch (value.type()) {
    case document::Type::kBoolean:
      return "boolean";
    case document::Type::kNumber:
      return "number";
    case document::Type::kString:
      return "string";
    case document::Type::kArray:
      return "array";
    case document::Type::kObject:
      return "object";
    case document::Type::kSet:
      return "set";
    default:
      return "null";
  }
}

std::string Base64(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j > text.size() ? '=' : kDigits[bits >> (18 - 6 * j) & 63];
    }
  }
  return out;
}

// Old forms of heads have a name and a key besides their reference.
struct OldForm {
  bool name = false;
  const Term* key = nullptr;
};

OldForm FormOf(const Rule& rule) {
  const std::vector<TermPtr>& items = rule.reference->items;
  if (rule.uses_contains || items.size() == 1) {
    return {items.size() == 1, rule.key.get()};
  }
  if (items.size() != 2 || rule.is_default) {
    return {};
  }
  if (!rule.arguments.empty()) {
    return {rule.uses_if, nullptr};
  }
  const Term& last = *items.back();
  const bool open = last.kind == TermKind::kRef || !IsGround(last);
  return {!rule.uses_if || !rule.generated_value, !rule.uses_if || open ? &last : nullptr};
}

class Writer {
 public:
  std::string text;

  void Write(const Module& module) {
    Members object(*this);
    if (!module.comments.empty()) {
      object.Key("comments");
      List(module.comments, [&](const Comment& comment) { Write(comment); });
    }
    if (!module.imports.empty()) {
      object.Key("imports");
      List(module.imports, [&](const Import& import) { Write(import); });
    }
    object.Key("package");
    WritePackage(module);
    if (!module.rules.empty()) {
      object.Key("rules");
      List(module.rules, [&](const std::unique_ptr<Rule>& rule) { Write(*rule, *rule); });
    }
  }

  void Write(const Body& body) {
    List(body, [&](const ExprPtr& expr) { Write(*expr); });
  }

  void Write(const Location& at) {
    Members location(*this);
    location.Key("file");
    String(at.file ? *at.file : "");
    location.Key("row");
    text += std::to_string(at.row);
    location.Key("col");
    text += std::to_string(at.column);
  }

  void Write(const Value& value) {
    Members object(*this);
    object.Key("type");
    String(TypeName(value));
    object.Key("value");
    WriteContent(value);
  }

  // `first` is the rule that begins the chain of else parts.
  void Write(const Rule& rule, const Rule& first) {
    Members object(*this);
    WriteAnnotations(rule, object);
    object.Key("body");
    Write(rule.body);
    if (rule.is_default) {
      object.Key("default");
      text += "true";
    }
    if (rule.else_rule) {
      object.Key("else");
      Write(*rule.else_rule, first);
    }
    object.Key("head");
    WriteHead(rule, first);
  }

  void Write(const Expr& expr) {
    Members object(*this);
    if (expr.generated) {
      object.Key("generated");
      text += "true";
    }
    object.Key("index");
    text += std::to_string(expr.index);
    if (expr.negated) {
      object.Key("negated");
      text += "true";
    }
    object.Key("terms");
    WriteTerms(expr);
    if (!expr.with.empty()) {
      object.Key("with");
      List(expr.with, [&](const With& with) {
        Members members(*this);
        members.Key("target");
        Write(*with.target);
        members.Key("value");
        Write(*with.value);
      });
    }
  }

  void Write(const Term& term) {
    Members object(*this);
    object.Key("type");
    String(KindName(term.kind));
    object.Key("value");
    WriteValue(term);
  }

 private:
  // Braces around members, and commas between them.
  class Members {
   public:
    explicit Members(Writer& writer) : writer_(writer) { writer_.text += '{'; }
    ~Members() { writer_.text += '}'; }
    Members(const Members&) = delete;
    Members& operator=(const Members&) = delete;
    void Key(std::string_view name) {
      writer_.text += first_ ? "" : ",";
      first_ = false;
      writer_.String(name);
      writer_.text += ':';
    }

   private:
    Writer& writer_;
    bool first_ = true;
  };

  void WriteAnnotations(const Rule& rule, Members& object) {
    const std::vector<const Annotation*> annotations = AnnotationsOf(rule);
    if (!annotations.empty()) {
      object.Key("annotations");
      List(annotations, [&](const Annotation* each) { text += ToJson(*each); });
    }
  }

  void String(std::string_view value) { document::AppendJsonString(value, JsonStyle::kGo, &text); }

  template <class Range, class Each>
  void List(const Range& range, const Each& each) {
    text += '[';
    bool first = true;
    for (const auto& item : range) {
      text += first ? "" : ",";
      first = false;
      each(item);
    }
    text += ']';
  }

  void Terms(const std::vector<TermPtr>& terms) {
    List(terms, [&](const TermPtr& term) { Write(*term); });
  }

  void Write(const Comment& comment) {
    Members object(*this);
    object.Key("Location");
    Write(comment.location);
    object.Key("Text");
    String(Base64(comment.text));
  }

  void Write(const Import& import) {
    Members object(*this);
    if (!import.alias.empty()) {
      object.Key("alias");
      String(import.alias);
    }
    object.Key("path");
    Write(*import.path);
  }

  void WritePackage(const Module& module) {
    Members object(*this);
    object.Key("path");
    text += R"([{"type":"var","value":"data"})";
    for (const std::string& part : module.package) {
      text += R"(,{"type":"string","value":)";
      String(part);
      text += '}';
    }
    text += ']';
  }

  void WriteHead(const Rule& rule, const Rule& first) {
    const OldForm form = FormOf(first);
    Members object(*this);
    if (form.name) {
      object.Key("name");
      String(rule.reference->items[0]->text);
    }
    if (!rule.arguments.empty()) {
      object.Key("args");
      Terms(rule.arguments);
    }
    if (form.key != nullptr) {
      object.Key("key");
      Write(*form.key);
    }
    if (rule.value) {
      object.Key("value");
      Write(*rule.value);
    }
    if (rule.assigned) {
      object.Key("assign");
      text += "true";
    }
    object.Key("ref");
    Terms(rule.reference->items);
  }

  void WriteTerms(const Expr& expr) {
    if (expr.kind == ExprKind::kTerm) {
      return Write(*expr.terms[0]);
    }
    if (expr.kind == ExprKind::kCall) {
      return Terms(expr.terms);
    }
    Members object(*this);
    switch (expr.kind) {
      case ExprKind::kSome:
        object.Key("symbols");
        return Terms(expr.terms);
      case ExprKind::kEvery:
        object.Key("body");
        Write(expr.body);
        object.Key("domain");
        Write(*expr.terms[2]);
        object.Key("key");
        if (expr.terms[0]) {
          Write(*expr.terms[0]);
        } else {
          text += "null";
        }
        object.Key("value");
        return Write(*expr.terms[1]);
      case ExprKind::kNot:
        object.Key("body");
        Write(expr.body);
        object.Key("explicit_body");
        text += expr.explicit_body ? "true" : "false";
        object.Key("type");
        text += R"("not")";
        return;
      default:
        if (expr.explicit_body) {
          object.Key("explicit_lhs");
          text += "true";
        }
        if (expr.explicit_right) {
          object.Key("explicit_rhs");
          text += "true";
        }
        object.Key("lhs");
        Write(expr.body);
        object.Key("rhs");
        Write(expr.right);
        object.Key("type");
        text += expr.kind == ExprKind::kAnd ? R"("and")" : R"("or")";
    }
  }

  void WriteValue(const Term& term) {
    switch (term.kind) {
      case TermKind::kNull:
        text += "{}";
        return;
      case TermKind::kBoolean:
        text += term.boolean ? "true" : "false";
        return;
      case TermKind::kNumber:
        text += term.text;
        return;
      case TermKind::kString:
      case TermKind::kVar:
        return String(term.text);
      case TermKind::kObject:
        return WritePairs(term);
      case TermKind::kArrayComprehension:
      case TermKind::kSetComprehension:
      case TermKind::kObjectComprehension:
        return WriteComprehension(term);
      case TermKind::kTemplateString:
        return WriteTemplate(term);
      default:
        return Terms(term.items);
    }
  }

  void WritePairs(const Term& term) {
    text += '[';
    for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
      text += i == 0 ? "[" : ",[";
      Write(*term.items[i]);
      text += ',';
      Write(*term.items[i + 1]);
      text += ']';
    }
    text += ']';
  }

  void WriteComprehension(const Term& term) {
    Members object(*this);
    const bool pair = term.kind == TermKind::kObjectComprehension;
    object.Key(pair ? "key" : "term");
    Write(*term.items[0]);
    if (pair) {
      object.Key("value");
      Write(*term.items[1]);
    }
    object.Key("body");
    Write(term.body);
  }

  void WriteTemplate(const Term& term) {
    Members object(*this);
    object.Key("parts");
    List(term.items, [&](const TermPtr& part) {
      if (part->kind == TermKind::kTemplateExpression) {
        Write(*part->body[0]);
      } else {
        Write(*part);
      }
    });
    object.Key("multi_line");
    text += term.boolean ? "true" : "false";
  }

  void WriteContent(const Value& value) {
    switch (value.type()) {
      case document::Type::kNull:
        text += "{}";
        return;
      case document::Type::kArray:
      case document::Type::kSet: {
        text += '[';
        for (std::uint32_t i = 0; i < value.size(); ++i) {
          text += i == 0 ? "" : ",";
          Write(value.ItemAt(i));
        }
        text += ']';
        return;
      }
      case document::Type::kObject: {
        text += '[';
        for (std::uint32_t i = 0; i < value.size(); ++i) {
          text += i == 0 ? "[" : ",[";
          Write(value.KeyAt(i));
          text += ',';
          Write(value.ValueAt(i));
          text += ']';
        }
        text += ']';
        return;
      }
      default:
        text += document::ToJson(value, JsonStyle::kGo);
    }
  }
};

template <class... Nodes>
std::string Written(const Nodes&... nodes) {
  Writer writer;
  writer.Write(nodes...);
  return std::move(writer.text);
}

}  // namespace

const Term* KeyInHead(const Rule& rule) {
  return FormOf(rule).key;
}

std::string ToJson(const Module& module) {
  return Written(module);
}

std::string ToJson(const Rule& rule, const Rule& first) {
  return Written(rule, first);
}

std::string ToJson(const Body& body) {
  return Written(body);
}

std::string ToJson(const Expr& expr) {
  return Written(expr);
}

std::string ToJson(const Term& term) {
  return Written(term);
}

std::string TermJson(const Value& value) {
  return Written(value);
}

std::string ToJson(const Location& location) {
  return location.row == 0 ? "null" : Written(location);
}

}  // namespace portcullis::rego
