#include "rules/rego/ast_json.h"

#include <string_view>

#include "document/json.h"

namespace portcullis::rego {
namespace {

using document::JsonStyle;

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

  void String(std::string_view value) {
    document::AppendJsonString(value, JsonStyle::kCompact, &text);
  }

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

  void Write(const Body& body) {
    List(body, [&](const ExprPtr& expr) { Write(*expr); });
  }

  void Write(const Comment& comment) {
    Members object(*this);
    object.Key("Location");
    {
      Members location(*this);
      location.Key("file");
      String(comment.location.file ? *comment.location.file : "");
      location.Key("row");
      text += std::to_string(comment.location.row);
      location.Key("col");
      text += std::to_string(comment.location.column);
    }
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

  // `first` is the rule that begins the chain of else parts.
  void Write(const Rule& rule, const Rule& first) {
    Members object(*this);
    if (rule.is_default) {
      object.Key("default");
      text += "true";
    }
    object.Key("head");
    WriteHead(rule, first);
    object.Key("body");
    Write(rule.body);
    if (rule.else_rule) {
      object.Key("else");
      Write(*rule.else_rule, first);
    }
  }

  // Old forms of heads have a name and a key besides their reference.
  struct OldForm {
    bool name = false;
    const Term* key = nullptr;
  };

  static OldForm FormOf(const Rule& rule) {
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
        object.Key("key");
        if (expr.terms[0]) {
          Write(*expr.terms[0]);
        } else {
          text += "null";
        }
        object.Key("value");
        Write(*expr.terms[1]);
        object.Key("domain");
        Write(*expr.terms[2]);
        object.Key("body");
        return Write(expr.body);
      case ExprKind::kNot:
        object.Key("type");
        text += R"("not")";
        object.Key("body");
        Write(expr.body);
        object.Key("explicit_body");
        text += expr.explicit_body ? "true" : "false";
        return;
      default:
        object.Key("type");
        text += expr.kind == ExprKind::kAnd ? R"("and")" : R"("or")";
        object.Key("lhs");
        Write(expr.body);
        object.Key("rhs");
        Write(expr.right);
        if (expr.explicit_body) {
          object.Key("explicit_lhs");
          text += "true";
        }
        if (expr.explicit_right) {
          object.Key("explicit_rhs");
          text += "true";
        }
    }
  }

  void Write(const Term& term) {
    Members object(*this);
    object.Key("type");
    String(KindName(term.kind));
    object.Key("value");
    WriteValue(term);
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
    object.Key("multi_line");
    text += term.boolean ? "true" : "false";
    object.Key("parts");
    List(term.items, [&](const TermPtr& part) {
      if (part->kind == TermKind::kTemplateExpression) {
        Write(*part->body[0]);
      } else {
        Write(*part);
      }
    });
  }
};

}  // namespace

std::string ToJson(const Module& module) {
  Writer writer;
  writer.Write(module);
  return std::move(writer.text);
}

}  // namespace portcullis::rego
