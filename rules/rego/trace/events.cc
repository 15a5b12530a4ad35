// What the sink is told.

#include "document/json.h"
#include "rules/rego/trace/topdown.h"
#include "rules/rego/visit.h"

namespace portcullis::rego::trace {

struct TopDown::NodeOf final : Node {
  const TopDown* owner = nullptr;
  const Expr* expr = nullptr;
  const Body* body = nullptr;
  const Definition* definition = nullptr;
  const std::string* path = nullptr;
  const Operand* left = nullptr;
  const Operand* right = nullptr;

  [[nodiscard]] const void* identity() const override {
    return path != nullptr || left != nullptr ? nullptr
           : expr != nullptr                  ? static_cast<const void*>(expr)
           : body != nullptr                  ? static_cast<const void*>(body)
                                              : static_cast<const void*>(definition);
  }

  [[nodiscard]] std::string Text() const override {
    if (definition != nullptr) {
      return definition->path;
    }
    if (path != nullptr) {
      return *path;
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

 private:
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

std::string_view TopDown::NameOf(std::string_view variable) const {
  if (const std::string* written = WrittenName(policy_, variable)) {
    return *written;
  }
  const auto found = names_.find(variable);
  return found == names_.end() ? variable : std::string_view(found->second);
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

void TopDown::Tell(Frame& frame, Op op, const Expr& expr, std::string_view message) {
  NodeOf node;
  node.owner = this;
  node.expr = &expr;
  Send(frame, {.op = op,
               .kind = NodeKind::kExpr,
               .node = &node,
               .expr_index = expr.index,
               .location = expr.location,
               .expr_location = expr.location,
               .message = message});
}

void TopDown::Tell(Frame& frame, Op op, const Body& body, std::string_view message) {
  NodeOf node;
  node.owner = this;
  node.body = &body;
  Send(frame, {.op = op,
               .kind = NodeKind::kBody,
               .node = &node,
               .location = body.empty() ? Location{} : body.front()->location,
               .expr_location = {},
               .message = message});
}

void TopDown::Tell(Frame& frame, Op op, const Definition& definition, std::string_view message) {
  NodeOf node;
  node.owner = this;
  node.definition = &definition;
  Send(frame, {.op = op,
               .kind = NodeKind::kRule,
               .node = &node,
               .location = definition.rule->location,
               .expr_location = {},
               .message = message});
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
  const std::string text = PathText(path);
  const Expr& expr = *(*frame.query)[frame.index];
  NodeOf node;
  node.owner = this;
  node.expr = &expr;
  node.path = &text;
  Send(frame, {.op = Op::kIndex,
               .kind = NodeKind::kExpr,
               .node = &node,
               .expr_index = expr.index,
               .location = expr.location,
               .expr_location = expr.location,
               .message = message});
}

void TopDown::TellUnify(Frame& frame, const Operand& a, const Operand& b) {
  if (!tells_unify_) {
    return;
  }
  NodeOf node;
  node.owner = this;
  node.left = &a;
  node.right = &b;
  Send(frame, {.op = Op::kUnify,
               .kind = NodeKind::kExpr,
               .node = &node,
               .location = {},
               .expr_location = {},
               .message = {}});
}

void TopDown::TellNote(Frame& frame, const Expr& expr, std::string_view text) {
  Send(frame, {.op = Op::kNote,
               .kind = NodeKind::kNone,
               .node = nullptr,
               .location = expr.location,
               .expr_location = {},
               .message = text});
}

}  // namespace portcullis::rego::trace
