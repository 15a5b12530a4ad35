// Renders a parsed template.

#include <algorithm>
#include <utility>

#include "rules/builtins/go_template.h"
#include "rules/builtins/go_template_value.h"

namespace portcullis::builtins {
namespace {

using Kind = TemplateNode::Kind;

// Templates that call each other, with the actions within them: the renderer recurses. Go's own limit is 100,000 calls.
constexpr int kMaxDepth = 1000;

enum class Flow : std::uint8_t { kGoOn, kBreak, kContinue };

struct Halted {};  // The context says why.

class Renderer {
 public:
  Renderer(CallContext& context, const ParsedTemplate& parsed, const Value& data)
      : context_(context), parsed_(parsed) {
    variables_.push_back({"$", GoValue::Of(data)});
  }

  std::string Run() {
    const auto root = parsed_.trees.find(kTemplateName);
    const GoValue dot = variables_.front().second;
    Walk(dot, *root->second);
    return std::move(out_);
  }

 private:
  using Variables = std::vector<std::pair<std::string, GoValue>>;

  struct Depth {
    explicit Depth(int* depth) : depth_(depth) { ++*depth_; }
    ~Depth() { --*depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    int* depth_;
  };

  [[noreturn]] void Fail(const std::string& message) const {
    const std::string_view before = std::string_view(parsed_.text).substr(0, node_->position);
    const std::size_t newline = before.rfind('\n');
    const std::size_t column =
        newline == before.npos ? node_->position : node_->position - newline - 1;
    std::string text =
        "template: template:" + std::to_string(1 + std::ranges::count(before, '\n')) + ":" +
        std::to_string(column) + ": executing ";
    AppendGoQuoted(name_, &text);
    throw TemplateFailure{text + " at <" + TemplateText(*node_) + ">: " + message};
  }

  void CheckLimits() {
    if (context_.ShouldHalt() || context_.HaltsBeyond(out_.size())) {
      throw Halted();
    }
  }

  // The text that a value prints as, in a message.
  std::string Shown(const GoValue& value) const {
    std::string text;
    AppendGo(value.value, context_.arena.limit_bytes(), &text);
    return text;
  }

  Flow Walk(const GoValue& dot, const TemplateNode& node) {
    node_ = &node;
    CheckLimits();
    const Depth depth(&depth_);
    if (depth_ > kMaxDepth) {
      Fail("exceeded maximum template depth (" + std::to_string(kMaxDepth) + ")");
    }
    switch (node.kind) {
      case Kind::kAction: {
        const GoValue value = Pipeline(dot, node.pipe.get());
        if (node.pipe->declared.empty()) {
          node_ = &node;
          if (value.is_present()) {
            AppendGo(value.value, context_.arena.limit_bytes(), &out_);
          } else {
            out_.append("<no value>");
          }
        }
        return Flow::kGoOn;
      }
      case Kind::kBreak:
        return Flow::kBreak;
      case Kind::kContinue:
        return Flow::kContinue;
      case Kind::kIf:
      case Kind::kWith:
        return WalkIf(dot, node);
      case Kind::kRange:
        return WalkRange(dot, node);
      case Kind::kTemplate:
        WalkTemplate(dot, node);
        return Flow::kGoOn;
      case Kind::kText:
        out_.append(node.text);
        return Flow::kGoOn;
      default:
        break;
    }
    for (const TemplateNode::Owned& item : node.items) {
      if (const Flow flow = Walk(dot, *item); flow != Flow::kGoOn) {
        return flow;
      }
    }
    return Flow::kGoOn;
  }

  Flow WalkIf(const GoValue& dot, const TemplateNode& node) {
    const std::size_t mark = variables_.size();
    const GoValue value = Pipeline(dot, node.pipe.get());
    Flow flow = Flow::kGoOn;
    if (value.truth()) {
      flow = Walk(node.kind == Kind::kWith ? value : dot, *node.list);
    } else if (node.other) {
      flow = Walk(dot, *node.other);
    }
    variables_.resize(mark);
    return flow;
  }

  // One turn of a range. False where it is the last.
  bool Turn(const TemplateNode& node, std::size_t mark, const GoValue& index,
            const GoValue& element) {
    const std::vector<std::string>& declared = node.pipe->declared;
    const bool two = declared.size() > 1;
    if (node.pipe->assigns && !declared.empty()) {
      Assign(declared[0], two ? index : element);
      if (two) {
        Assign(declared[1], element);
      }
    } else if (!declared.empty()) {
      variables_[mark - 1].second = element;
      if (two) {
        variables_[mark - 2].second = index;
      }
    }
    const Flow flow = Walk(element, *node.list);
    variables_.resize(mark);
    return flow != Flow::kBreak;
  }

  Flow WalkRange(const GoValue& dot, const TemplateNode& node) {
    const std::size_t outer = variables_.size();
    const GoValue value = Pipeline(dot, node.pipe.get());
    const std::size_t mark = variables_.size();
    bool ran = false;
    if (const Value* container = value.container(); container != nullptr && value.is_present()) {
      for (std::uint32_t i = 0; i < container->size(); ++i) {
        ran = true;
        const bool more =
            container->is_object()
                ? Turn(node, mark, GoValue::Of(std::string(container->KeyAt(i).string())),
                       GoValue::Boxed(container->ValueAt(i)))
                : Turn(node, mark, GoValue::Of(GoInt{i}), GoValue::Boxed(container->ItemAt(i)));
        if (!more) {
          break;
        }
      }
    } else if (value.is_present()) {
      ran = RangeOverNumber(value, node, mark);
    }
    Flow flow = Flow::kGoOn;
    if (!ran && node.other) {
      flow = Walk(dot, *node.other);
    }
    variables_.resize(outer);
    return flow;
  }

  // Counts up to a whole number. Whether there was a turn.
  bool RangeOverNumber(const GoValue& value, const TemplateNode& node, std::size_t mark) {
    const auto* whole = std::get_if<GoInt>(&value.value);
    const auto* byte = std::get_if<std::uint8_t>(&value.value);
    if (whole == nullptr && byte == nullptr) {
      Fail("range can't iterate over " + Shown(value));
    }
    if (node.pipe->declared.size() > 1) {
      Fail("can't use " + Shown(value) + " to iterate over more than one variable");
    }
    const std::int64_t end = whole != nullptr ? whole->value : *byte;
    for (std::int64_t i = 0; i < end; ++i) {
      const GoValue element =
          whole != nullptr ? GoValue::Of(GoInt{i}) : GoValue::Of(static_cast<std::uint8_t>(i));
      if (!Turn(node, mark, GoValue(), element)) {
        break;
      }
    }
    return end > 0;
  }

  void WalkTemplate(const GoValue& dot, const TemplateNode& node) {
    const auto called = parsed_.trees.find(node.name);
    if (called == parsed_.trees.end()) {
      std::string message = "template ";
      AppendGoQuoted(node.name, &message);
      Fail(message + " not defined");
    }
    const GoValue argument = Pipeline(dot, node.pipe.get());
    Variables outer = std::exchange(variables_, Variables{{"$", argument}});
    const std::string_view outer_name = std::exchange(name_, called->first);
    Walk(argument, *called->second);
    name_ = outer_name;
    variables_ = std::move(outer);
  }

  void Assign(const std::string& name, const GoValue& value) {
    for (auto variable = variables_.rbegin(); variable != variables_.rend(); ++variable) {
      if (variable->first == name) {
        variable->second = value;
        return;
      }
    }
    Fail("undefined variable: " + name);
  }

  GoValue Variable(const std::string& name) const {
    for (auto variable = variables_.rbegin(); variable != variables_.rend(); ++variable) {
      if (variable->first == name) {
        return variable->second;
      }
    }
    Fail("undefined variable: " + name);
  }

  GoValue Pipeline(const GoValue& dot, const TemplateNode* pipe) {
    if (pipe == nullptr) {
      return {};
    }
    node_ = pipe;
    GoValue value = GoValue::Missing();
    for (const TemplateNode::Owned& command : pipe->items) {
      value = Command(dot, *command, value);
      if (value.boxed) {
        value = value.Unboxed();
      }
    }
    for (const std::string& name : pipe->declared) {
      if (pipe->assigns) {
        Assign(name, value);
      } else {
        variables_.emplace_back(name, value);
      }
    }
    return value;
  }

  void RefuseArguments(const TemplateNode& command, const GoValue& final) const {
    if (command.items.size() > 1 || !final.is_missing()) {
      Fail("can't give argument to non-function " + TemplateText(*command.items.front()));
    }
  }

  GoValue Command(const GoValue& dot, const TemplateNode& command, const GoValue& final) {
    const TemplateNode& first = *command.items.front();
    const bool has_arguments = command.items.size() > 1 || !final.is_missing();
    switch (first.kind) {
      case Kind::kField:
      case Kind::kChain:
        return Fields(dot, first, has_arguments);
      case Kind::kIdentifier:
        node_ = &first;
        return Function(dot, first.text, command, &command, final);
      case Kind::kPipe:
        RefuseArguments(command, final);
        return Pipeline(dot, &first);
      case Kind::kVariable:
        if (first.names.size() == 1) {
          node_ = &first;
          GoValue value = Variable(first.names[0]);
          RefuseArguments(command, final);
          return value;
        }
        return Fields(dot, first, has_arguments);
      default:
        break;
    }
    node_ = &first;
    RefuseArguments(command, final);
    if (first.kind == Kind::kDot) {
      return dot;
    }
    if (first.kind == Kind::kNil) {
      Fail("nil is not a command");
    }
    return Constant(first);
  }

  GoValue Constant(const TemplateNode& node) {
    node_ = &node;
    if (node.kind == Kind::kBool) {
      return GoValue::Of(node.truth);
    }
    if (node.kind == Kind::kString) {
      return GoValue::Of(node.name);
    }
    if (node.complex) {
      return GoValue::Of(*node.complex);
    }
    const bool rune = node.text.starts_with('\'');
    const bool hex = node.text.size() > 2 && node.text[0] == '0' && (node.text[1] | 0x20) == 'x' &&
                     node.text.find_first_of("pP") == std::string::npos;
    if (node.real && !rune && !hex && node.text.find_first_of(".eEpP") != std::string::npos) {
      return GoValue::Of(*node.real);
    }
    if (node.beyond_int || !node.integer) {
      Fail(node.text + " overflows int");
    }
    return GoValue::Of(GoInt{*node.integer});
  }

  // ".a.b", "$x.a" or "(…).a".
  GoValue Fields(const GoValue& dot, const TemplateNode& node, bool has_arguments) {
    node_ = &node;
    GoValue receiver = dot;
    std::size_t from = 0;
    if (node.kind == Kind::kVariable) {
      receiver = Variable(node.names[0]);
      from = 1;
    } else if (node.kind == Kind::kChain) {
      if (node.pipe->kind == Kind::kNil) {
        Fail("indirection through explicit nil in " + TemplateText(node));
      }
      receiver = node.pipe->kind == Kind::kPipe ? Pipeline(dot, node.pipe.get())
                                                : Function(dot, node.pipe->text, *node.pipe,
                                                           node.pipe.get(), GoValue::Missing());
    }
    for (std::size_t i = from; i < node.names.size(); ++i) {
      receiver = Field(receiver, node.names[i], has_arguments && i + 1 == node.names.size());
    }
    return receiver;
  }

  GoValue Field(const GoValue& receiver, const std::string& name, bool has_arguments) const {
    if (!receiver.is_present()) {
      return {};
    }
    if (receiver.is_nil_interface()) {
      Fail("nil pointer evaluating interface {}." + name);
    }
    const Value* container = receiver.container();
    if (container == nullptr || !container->is_object()) {
      Fail("can't evaluate field " + name + " in type " + std::string(receiver.type()));
    }
    if (has_arguments) {
      Fail(name + " is not a method but has arguments");
    }
    const Value found = container->Find(name);
    return found.is_defined() ? GoValue::Boxed(found) : GoValue();
  }

  // `call` is the command, whose first item is the function, or the function alone.
  GoValue Function(const GoValue& dot, const std::string& name, const TemplateNode& call,
                   const TemplateNode* place, const GoValue& final) {
    if (place->kind != Kind::kCommand) {
      node_ = place;
    }
    const std::size_t written = call.kind == Kind::kCommand ? call.items.size() - 1 : 0;
    const std::size_t count = written + (final.is_missing() ? 0 : 1);
    const TemplateArity arity = ArityOf(name);
    const auto fixed = static_cast<std::size_t>(arity.fixed);
    if (arity.variadic ? count < fixed : count != fixed) {
      Fail("wrong number of args for " + name + ": want " + (arity.variadic ? "at least " : "") +
           std::to_string(fixed) + " got " + std::to_string(arity.variadic ? written : count));
    }
    if (name == "and" || name == "or") {
      return Choose(dot, name, call, written, final);
    }
    std::vector<GoValue> arguments;
    for (std::size_t i = 0; i < written; ++i) {
      arguments.push_back(
          Argument(dot, *call.items[i + 1], i < fixed ? arity.first : arity.others));
    }
    if (!final.is_missing()) {
      arguments.push_back(Checked(final, arguments.size() < fixed ? arity.first : arity.others));
    }
    std::string first_written;
    if (name == "call") {
      first_written = written > 0 ? TemplateText(*call.items[1]) : Reflected(final);
    }
    try {
      return CallTemplateFunction(context_, name, std::move(arguments), first_written);
    } catch (const TemplateFailure& failure) {
      node_ = place;
      Fail("error calling " + name + ": " + failure.message);
    }
  }

  // What Go's reflect.Value.String gives.
  static std::string Reflected(const GoValue& value) {
    const std::string* text = value.text();
    if (text != nullptr && !value.boxed) {
      return *text;
    }
    return value.is_present() ? "<" + std::string(value.type()) + " Value>" : "<invalid Value>";
  }

  // "and" and "or" look at no more operands than they need.
  GoValue Choose(const GoValue& dot, const std::string& name, const TemplateNode& call,
                 std::size_t written, const GoValue& final) {
    GoValue value;
    for (std::size_t i = 0; i < written; ++i) {
      value = Argument(dot, *call.items[i + 1], TemplateOperand::kReflected);
      if (value.truth() == (name == "or")) {
        return value;
      }
    }
    return final.is_missing() ? value : final;
  }

  // The value as an operand of this kind.
  GoValue Checked(const GoValue& value, TemplateOperand kind) const {
    if (kind == TemplateOperand::kInterface) {
      return value.is_present() ? value : GoValue::NilInterface();
    }
    if (kind == TemplateOperand::kReflected) {
      return value;
    }
    if (!value.is_present()) {
      Fail("invalid value; expected string");
    }
    if (!std::holds_alternative<std::string>(value.value)) {
      const GoValue inner = value.is_nil_interface() ? value : value.Unboxed();
      Fail("wrong type for value; expected string; got " + std::string(inner.type()));
    }
    return value.Unboxed();
  }

  GoValue Argument(const GoValue& dot, const TemplateNode& node, TemplateOperand kind) {
    node_ = &node;
    switch (node.kind) {
      case Kind::kDot:
        return Checked(dot, kind);
      case Kind::kNil:
        if (kind == TemplateOperand::kString) {
          Fail("cannot assign nil to string");
        }
        return Checked(GoValue(), kind);
      case Kind::kVariable:
        if (node.names.size() == 1) {
          return Checked(Variable(node.names[0]), kind);
        }
        return Checked(Fields(dot, node, false), kind);
      case Kind::kField:
      case Kind::kChain:
        return Checked(Fields(dot, node, false), kind);
      case Kind::kPipe:
        return Checked(Pipeline(dot, &node), kind);
      case Kind::kIdentifier:
        return Checked(Function(dot, node.text, node, &node, GoValue::Missing()), kind);
      default:
        break;
    }
    if (kind == TemplateOperand::kString && node.kind != Kind::kString) {
      Fail("expected string; found " + TemplateText(node));
    }
    return Constant(node);
  }

  CallContext& context_;
  const ParsedTemplate& parsed_;
  std::string out_;
  Variables variables_;
  std::string_view name_ = kTemplateName;
  const TemplateNode* node_ = nullptr;  // What is being evaluated, for errors.
  int depth_ = 0;
};

}  // namespace

std::optional<std::string> ExecuteGoTemplate(CallContext& context, const ParsedTemplate& parsed,
                                             const Value& data) {
  try {
    return Renderer(context, parsed, data).Run();
  } catch (const TemplateFailure& failure) {
    context.Fail(failure.message);
  } catch (const Halted&) {
    // The context holds the reason.
  }
  return std::nullopt;
}

}  // namespace portcullis::builtins
