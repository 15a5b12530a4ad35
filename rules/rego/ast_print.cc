// OPA's spelling of terms, expressions and rules, as its error texts show them.

#include <array>

#include "rules/rego/ast.h"
#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

void Append(std::string& out, const Term& term);
void Append(std::string& out, const Expr& expr);
void Append(std::string& out, const Body& body);

template <class Items>
void AppendList(std::string& out, const Items& items, std::size_t first = 0) {
  for (std::size_t i = first; i < items.size(); ++i) {
    if (i != first) {
      out += ", ";
    }
    Append(out, *items[i]);
  }
}

bool NeedsEscape(std::string_view text) {
  for (unsigned char c : text) {
    if (c < 0x20 || c == 0x7F || c == '\\') {
      return true;
    }
  }
  return false;
}

void AppendRef(std::string& out, const Term& ref) {
  if (ref.items[0]->kind == TermKind::kString) {
    out += ref.items[0]->text;
  } else {
    Append(out, *ref.items[0]);
  }
  for (std::size_t i = 1; i < ref.items.size(); ++i) {
    const Term& operand = *ref.items[i];
    if (operand.kind != TermKind::kString) {
      out += '[';
      Append(out, operand);
      out += ']';
    } else if (IsIdentifier(operand.text) && !IsKeyword(operand.text, Version::kV1)) {
      out += '.';
      out += operand.text;
    } else if (NeedsEscape(operand.text)) {
      out += '[' + Quote(operand.text) + ']';
    } else {
      out += "[\"" + operand.text + "\"]";
    }
  }
}

// A call of an infix operator before the bar of a comprehension, where it would be read as
// something else.
void AppendComprehensionTerm(std::string& out, const Term& term) {
  if (term.kind == TermKind::kCall && term.items.size() == 3) {
    std::string_view infix = InfixOf(ToString(*term.items[0]));
    if (!infix.empty() && infix != "in") {
      out += '(';
      AppendComprehensionTerm(out, *term.items[1]);
      out += ' ';
      out += infix;
      out += ' ';
      AppendComprehensionTerm(out, *term.items[2]);
      out += ')';
      return;
    }
  }
  Append(out, term);
}

void AppendTemplate(std::string& out, const Term& term) {
  out += "$\"";
  for (const TermPtr& part : term.items) {
    if (part->kind == TermKind::kTemplateExpression) {
      out += '{';
      Append(out, *part->body[0]);
      out += '}';
    } else if (part->kind == TermKind::kString) {
      std::string quoted = Quote(part->text);
      for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        if (quoted[i] == '{') {
          out += '\\';
        }
        out += quoted[i];
      }
    } else {
      Append(out, *part);
    }
  }
  out += '"';
}

void Append(std::string& out, const Term& term) {
  switch (term.kind) {
    case TermKind::kNull:
      out += "null";
      return;
    case TermKind::kBoolean:
      out += term.boolean ? "true" : "false";
      return;
    case TermKind::kNumber:
      out += term.text;
      return;
    case TermKind::kString:
      out += Quote(term.text);
      return;
    case TermKind::kVar:
      out += term.IsWildcard() ? "_" : term.text;
      return;
    case TermKind::kRef:
      AppendRef(out, term);
      return;
    case TermKind::kCall:
      Append(out, *term.items[0]);
      out += '(';
      AppendList(out, term.items, 1);
      out += ')';
      return;
    case TermKind::kArray:
      out += '[';
      AppendList(out, term.items);
      out += ']';
      return;
    case TermKind::kSet:
      if (term.items.empty()) {
        out += "set()";
        return;
      }
      out += '{';
      AppendList(out, term.items);
      out += '}';
      return;
    case TermKind::kObject:
      out += '{';
      for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
        if (i != 0) {
          out += ", ";
        }
        Append(out, *term.items[i]);
        out += ": ";
        Append(out, *term.items[i + 1]);
      }
      out += '}';
      return;
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension: {
      bool array = term.kind == TermKind::kArrayComprehension;
      out += array ? '[' : '{';
      AppendComprehensionTerm(out, *term.items[0]);
      if (term.items.size() > 1) {
        out += ": ";
        AppendComprehensionTerm(out, *term.items[1]);
      }
      out += " | ";
      Append(out, term.body);
      out += array ? ']' : '}';
      return;
    }
    case TermKind::kTemplateString:
      AppendTemplate(out, term);
      return;
    case TermKind::kTemplateExpression:
      Append(out, *term.body[0]);
      return;
  }
}

bool StartsWithBrace(const Term& term) {
  switch (term.kind) {
    case TermKind::kSet:
      return !term.items.empty();
    case TermKind::kObject:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension:
      return true;
    case TermKind::kRef:
      return StartsWithBrace(*term.items[0]);
    default:
      return false;
  }
}

bool OperandNeedsParentheses(const Body& body, ExprKind parent, bool right) {
  const Expr& expr = *body[0];
  if (!expr.with.empty()) {
    return true;
  }
  if (expr.kind == ExprKind::kOr) {
    return parent == ExprKind::kAnd || right;
  }
  if (expr.kind == ExprKind::kAnd) {
    return parent == ExprKind::kAnd && right;
  }
  return expr.kind == ExprKind::kTerm && StartsWithBrace(*expr.terms[0]);
}

void AppendOperand(std::string& out, const Body& body, bool explicit_body, ExprKind parent,
                   bool right) {
  if (explicit_body || body.size() != 1) {
    out += "{ ";
    Append(out, body);
    out += " }";
  } else if (OperandNeedsParentheses(body, parent, right)) {
    out += '(';
    Append(out, body);
    out += ')';
  } else {
    Append(out, body);
  }
}

void AppendNot(std::string& out, const Expr& expr) {
  if (expr.explicit_body || expr.body.size() != 1) {
    out += "not {";
    Append(out, expr.body);
    out += '}';
    return;
  }
  const Expr& inner = *expr.body[0];
  bool parentheses = !inner.with.empty() || inner.kind == ExprKind::kOr ||
                     inner.kind == ExprKind::kAnd || inner.kind == ExprKind::kNot ||
                     (inner.kind == ExprKind::kTerm && StartsWithBrace(*inner.terms[0]));
  out += parentheses ? "not (" : "not ";
  Append(out, expr.body);
  if (parentheses) {
    out += ')';
  }
}

void AppendSome(std::string& out, const Expr& expr) {
  out += "some ";
  const Term& first = *expr.terms[0];
  if (first.kind != TermKind::kCall) {
    return AppendList(out, expr.terms);
  }
  Append(out, *first.items[1]);
  out += first.items.size() == 3 ? " in " : ", ";
  Append(out, *first.items[2]);
  if (first.items.size() == 4) {
    out += " in ";
    Append(out, *first.items[3]);
  }
}

bool IsEquality(const Expr& expr) {
  const Term& op = *expr.terms[0];
  return op.kind == TermKind::kRef && op.items.size() == 1 && op.items[0]->IsVar() &&
         op.items[0]->text == "eq" && expr.terms.size() == 3;
}

void Append(std::string& out, const Expr& expr) {
  if (expr.negated) {
    out += "not ";
  }
  switch (expr.kind) {
    case ExprKind::kTerm:
      Append(out, *expr.terms[0]);
      break;
    case ExprKind::kCall:
      if (IsEquality(expr)) {
        Append(out, *expr.terms[1]);
        out += " = ";
        Append(out, *expr.terms[2]);
        break;
      }
      Append(out, *expr.terms[0]);
      out += '(';
      AppendList(out, expr.terms, 1);
      out += ')';
      break;
    case ExprKind::kSome:
      AppendSome(out, expr);
      break;
    case ExprKind::kEvery:
      out += "every ";
      if (expr.terms[0]) {
        Append(out, *expr.terms[0]);
        out += ", ";
      }
      Append(out, *expr.terms[1]);
      out += " in ";
      Append(out, *expr.terms[2]);
      out += " { ";
      Append(out, expr.body);
      out += " }";
      break;
    case ExprKind::kNot:
      AppendNot(out, expr);
      break;
    case ExprKind::kAnd:
    case ExprKind::kOr:
      AppendOperand(out, expr.body, expr.explicit_body, expr.kind, false);
      out += expr.kind == ExprKind::kAnd ? " and " : " or ";
      AppendOperand(out, expr.right, expr.explicit_right, expr.kind, true);
      break;
  }
  for (const With& with : expr.with) {
    out += " with ";
    Append(out, *with.target);
    out += " as ";
    Append(out, *with.value);
  }
}

void Append(std::string& out, const Body& body) {
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (i != 0) {
      out += "; ";
    }
    Append(out, *body[i]);
  }
}

template <class T>
std::string Printed(const T& node) {
  std::string out;
  Append(out, node);
  return out;
}

}  // namespace

std::string ToString(const Term& term) {
  return Printed(term);
}
std::string ToString(const Expr& expr) {
  return Printed(expr);
}
std::string ToString(const Body& body) {
  return Printed(body);
}

}  // namespace portcullis::rego
