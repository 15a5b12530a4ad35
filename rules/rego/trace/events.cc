// What the sink is told.

#include <map>

#include "document/json.h"
#include "rules/rego/ast_json.h"
#include "rules/rego/capture.h"
#include "rules/rego/trace/topdown.h"
#include "rules/rego/visit.h"

namespace portcullis::rego::trace {

struct TopDown::NodeOf final : Node {
  const TopDown* owner = nullptr;
  const Expr* expr = nullptr;
  const Body* body = nullptr;
  const Definition* definition = nullptr;
  const Operand* left = nullptr;
  const Operand* right = nullptr;

  [[nodiscard]] const void* identity() const override {
    return left != nullptr   ? nullptr
           : expr != nullptr ? static_cast<const void*>(expr)
           : body != nullptr ? static_cast<const void*>(body)
                             : static_cast<const void*>(definition);
  }

  [[nodiscard]] std::string Text() const override {
    if (definition != nullptr) {
      return definition->path;
    }
    if (left != nullptr) {
      return TextOf(*left) + " = " + TextOf(*right);
    }
    if (body != nullptr) {
      Body copy = Clone(*body);
      rego::Walk(copy, Renaming());
      return ToString(copy);
    }
    const ExprPtr copy = Clone(*expr);
    if (copy->kind == ExprKind::kEvery && copy->terms[0] != nullptr && copy->terms[0]->IsVar() &&
        owner->NameOf(copy->terms[0]->text).starts_with("__local")) {
      copy->terms[0] = nullptr;
    }
    rego::Walk(*copy, Renaming());
    return ToString(*copy);
  }

  [[nodiscard]] std::string Json() const override {
    if (definition != nullptr) {
      return ToJson(*definition->rule, *definition->first);
    }
    if (left != nullptr) {
      return R"({"index":0,"terms":[{"type":"ref","value":[{"type":"var","value":"eq"}]},)" +
             JsonOf(*left) + "," + JsonOf(*right) + "]}";
    }
    return body != nullptr ? ToJson(*body) : ToJson(*expr);
  }

  // Each variable in it.
  void Visit(const ConstVisitor& visitor) const {
    if (definition != nullptr) {
      VisitRule(*definition->rule, visitor);
    } else if (left != nullptr) {
      for (const Operand* side : {left, right}) {
        if (!side->is_value()) {
          rego::Walk(*side->term, visitor);
        }
      }
    } else if (body != nullptr) {
      rego::Walk(*body, visitor);
    } else {
      rego::Walk(*expr, visitor);
    }
  }

 private:
  // Without its reference: of that, OPA's walks see a key alone.
  void VisitRule(const Rule& rule, const ConstVisitor& visitor) const {
    for (const TermPtr& argument : rule.arguments) {
      rego::Walk(*argument, visitor);
    }
    if (const Term* key = KeyInHead(rule)) {
      rego::Walk(*key, visitor);
    }
    if (rule.value) {
      rego::Walk(*rule.value, visitor);
    }
    rego::Walk(rule.body, visitor);
    if (rule.else_rule) {
      VisitRule(*rule.else_rule, visitor);
    }
  }

  [[nodiscard]] static std::string JsonOf(const Operand& operand) {
    return operand.is_value() ? TermJson(operand.value) : ToJson(*operand.term);
  }

  [[nodiscard]] Visitor Renaming() const {
    Visitor visitor;
    visitor.term = [this](Term& term) {
      if (term.IsVar()) {
        term.text = owner->NameOf(term.text);
      }
      return true;
    };
    return visitor;
  }

  [[nodiscard]] std::string TextOf(const Operand& operand) const {
    if (operand.is_value()) {
      return document::ToRego(operand.value);
    }
    const TermPtr copy = Clone(*operand.term);
    rego::Walk(*copy, Renaming());
    return ToString(*copy);
  }
};

struct TopDown::SubjectOf final : Node {
  explicit SubjectOf(const Path& given) : path(given) {}
  [[nodiscard]] std::string Text() const override { return PathText(path); }
  [[nodiscard]] std::string Json() const override {
    std::string json = R"([{"type":"var","value":)" + document::ToJson(path.front());
    json += '}';
    for (const Value& item : std::span(path).subspan(1)) {
      json += "," + TermJson(item);
    }
    return json + "]";
  }
  [[nodiscard]] const void* identity() const override { return nullptr; }

  const Path& path;
};

struct TopDown::LocalsOf final : Locals {
  LocalsOf(const TopDown& evaluation, Frame& in, const NodeOf& of)
      : owner(evaluation), frame(in), node(of) {}

  [[nodiscard]] std::string ValuesJson() const override {
    std::map<std::string_view, std::string> values;
    for (const Bindings::Bound& bound : frame.bindings->all()) {
      values.emplace(bound.name, PluggedJson(bound.to, bound.in));
    }
    std::string json = "[";
    for (const auto& [name, value] : values) {
      json += json.size() > 1 ? R"(,{"name":)" : R"({"name":)";
      const bool wildcard = name.starts_with('$');
      document::AppendJsonString(wildcard ? "_" : name, document::JsonStyle::kGo, &json);
      json += "," + value.substr(1);
    }
    return json + "]";
  }

  [[nodiscard]] std::string NamesJson() const override {
    std::map<std::string_view, std::pair<std::string_view, const Location*>> names;
    for (const Bindings::Bound& bound : frame.bindings->all()) {
      names.emplace(bound.name, std::pair(owner.NameOf(bound.name), bound.location));
    }
    ConstVisitor visitor;
    visitor.term = [&](const Term& term) {
      if (term.IsVar()) {
        if (const std::string* written = owner.FindName(term.text)) {
          names.emplace(term.text, std::pair(std::string_view(*written), &term.location));
        }
      }
      return true;
    };
    node.Visit(visitor);
    std::string json = "{";
    for (const auto& [variable, name] : names) {
      json += json.size() > 1 ? "," : "";
      document::AppendJsonString(variable, document::JsonStyle::kGo, &json);
      json += R"(:{"name":)";
      document::AppendJsonString(name.first, document::JsonStyle::kGo, &json);
      // What a value is captured in has no place, as OPA's: ours is for the errors of the compiler.
      json += R"(,"location":)" + ToJson(IsCapture(variable) ? Location() : *name.second) + "}";
    }
    return json + "}";
  }

  const TopDown& owner;
  Frame& frame;
  const NodeOf& node;

 private:
  // What is bound in it replaced; closures and what is not bound stay.
  [[nodiscard]] std::string PluggedJson(Operand operand, Bindings* in) const {
    operand = Bindings::Apply(operand, in);
    if (operand.is_value()) {
      return TermJson(operand.value);
    }
    if (const Value value = owner.Plugged(operand, in); value.is_defined()) {
      return TermJson(value);
    }
    const Term& term = *operand.term;
    if (term.kind != TermKind::kArray && term.kind != TermKind::kObject &&
        term.kind != TermKind::kSet) {
      return ToJson(term);
    }
    const bool pairs = term.kind == TermKind::kObject;
    std::string json = R"({"type":")" + std::string(KindName(term.kind)) + R"(","value":[)";
    for (std::size_t i = 0; i < term.items.size(); ++i) {
      const bool begins = !pairs || i % 2 == 0;
      json += i > 0 ? "," : "";
      json += pairs && begins ? "[" : "";
      json += PluggedJson(owner.Of(*term.items[i]), in);
      json += pairs && !begins ? "]" : "";
    }
    return json + "]}";
  }
};

const std::string* TopDown::FindName(std::string_view variable) const {
  if (const std::string* written = WrittenName(policy_, variable)) {
    return written;
  }
  const auto found = names_.find(variable);
  return found == names_.end() ? nullptr : &found->second;
}

std::string_view TopDown::NameOf(std::string_view variable) const {
  const std::string* written = FindName(variable);
  return written != nullptr ? std::string_view(*written) : variable;
}

void TopDown::Send(Frame& frame, const NodeOf& node, Event event) {
  const LocalsOf locals(*this, frame, node);
  event.node = &node;
  event.locals = &locals;
  Send(frame, event);
}

void TopDown::Send(Frame& frame, Event event) {
  if (event.location.row == 0) {
    event.location = frame.last;
  } else {
    frame.last = event.location;
  }
  event.query_id = frame.id;
  event.parent_id = frame.parent == nullptr ? 0 : frame.parent->id;
  sink_is_full_ = !sink_.Add(event) || sink_is_full_;
}

// An event of a node, which knows its place if it is an expression.
Event TopDown::EventOf(Op op, NodeKind kind, const NodeOf& node, const Location& location,
                       std::string_view message) {
  Event event{
      .op = op, .kind = kind, .location = location, .expr_location = {}, .message = message};
  if (node.expr != nullptr) {
    event.expr_index = node.expr->index;
    event.expr_location = node.expr->location;
  }
  return event;
}

void TopDown::Tell(Frame& frame, Op op, const Expr& expr, std::string_view message) {
  NodeOf node;
  node.owner = this;
  node.expr = &expr;
  Send(frame, node, EventOf(op, NodeKind::kExpr, node, expr.location, message));
}

void TopDown::Tell(Frame& frame, Op op, const Body& body, std::string_view message) {
  NodeOf node;
  node.owner = this;
  node.body = &body;
  const Location location = body.empty() ? Location{} : body.front()->location;
  Send(frame, node, EventOf(op, NodeKind::kBody, node, location, message));
}

void TopDown::Tell(Frame& frame, Op op, const Definition& definition, std::string_view message) {
  NodeOf node;
  node.owner = this;
  node.definition = &definition;
  Send(frame, node, EventOf(op, NodeKind::kRule, node, definition.rule->location, message));
}

void TopDown::TellExit(Frame& frame, const Body& body) {
  Tell(frame, Op::kExit, body, frame.find_one ? "early" : "");
}

void TopDown::TellExit(Frame& frame, const Definition& definition) {
  Tell(frame, Op::kExit, definition, frame.find_one ? "early" : "");
}

void TopDown::TellIndex(Frame& frame, const Path& path, const Candidates& candidates) {
  const std::size_t count = candidates.chains.size();
  std::string message = "(matched " + std::to_string(count) + (count == 1 ? " rule" : " rules");
  message += candidates.early_exit ? ", early exit)" : ")";
  const Expr& expr = *(*frame.query)[frame.index];
  NodeOf node;
  node.owner = this;
  node.expr = &expr;
  const SubjectOf subject(path);
  Event event = EventOf(Op::kIndex, NodeKind::kExpr, node, expr.location, message);
  event.subject = &subject;
  Send(frame, node, event);
}

void TopDown::TellUnify(Frame& frame, const Operand& a, const Operand& b) {
  if (!tells_unify_) {
    return;
  }
  NodeOf node;
  node.owner = this;
  node.left = &a;
  node.right = &b;
  Send(frame, node,
       {.op = Op::kUnify,
        .kind = NodeKind::kExpr,
        .location = {},
        .expr_location = {},
        .message = {}});
}

void TopDown::TellNote(Frame& frame, const Expr& expr, std::string_view text) {
  Send(frame, {.op = Op::kNote,
               .kind = NodeKind::kNone,
               .location = expr.location,
               .expr_location = {},
               .message = text});
}

}  // namespace portcullis::rego::trace
