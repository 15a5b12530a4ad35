#include <array>

#include "tests/differential/generator.h"

namespace portcullis::differential {
namespace {

constexpr std::array<std::string_view, 1> kSpaced = {"x y"};

}  // namespace

std::string Generator::NewRuleName(std::string_view kind) {
  return std::string(kind) + std::to_string(rules_++);
}

std::string Generator::Head(const std::string& head, const std::string& value) const {
  return head + (dialect_.if_bodies ? " := " : " = ") + value;
}

std::string Generator::BodyBlock(const std::vector<std::string>& body) {
  if (dialect_.if_bodies && body.size() == 1 && !body[0].contains("; ") &&
      !body[0].starts_with('{') && random_.Chance(30)) {
    return " if " + body[0];
  }
  std::string text = dialect_.if_bodies ? " if {\n" : " {\n";
  for (const std::string& line : body) {
    text += '\t' + line + '\n';
  }
  return text + '}';
}

// A METADATA comment.
std::string Generator::Annotation(std::string_view scope) {
  std::string text = "# METADATA\n";
  if (random_.Chance(80)) {
    text += "# title: " +
            (random_.Chance(95) ? std::string(RandomKey(random_, *MapOf(nullptr)))
                                : std::string(RandomWord(random_))) +
            "\n";
  }
  if (random_.Chance(60)) {
    text += "# scope: " + std::string(scope) + "\n";
  }
  if (random_.Chance(50)) {
    text += "# custom:\n#   n: " + RandomNumber(random_) + "\n#   list: [a, 1]\n";
  }
  if (random_.Chance(20)) {
    text += random_.Chance(50) ? "# authors:\n# - A B <a@b.c>\n" : "# entrypoint: true\n";
  }
  return text;
}

std::string Generator::Rule() {
  const std::string annotation =
      random_.Chance(6) ? Annotation(random_.Chance(70) ? "rule" : "document") : "";
  return annotation + PlainRule();
}

std::string Generator::PlainRule() {
  if (!dialect_.if_bodies && random_.Chance(8)) {
    return ChainedRule();
  }
  switch (random_.Below(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return CompleteRule();
    case 4:
    case 5:
    case 6:
      return PartialSet();
    case 7:
    case 8:
      return PartialObject();
    case 9:
      return ReferenceHead();
    default:
      return FunctionRule();
  }
}

std::string Generator::CompleteRule() {
  const std::string name = NewRuleName("r");
  const ShapePtr shape = RandomShape(random_, random_.Chance(50) ? 1 : 2, true);
  std::string text;
  if (random_.Chance(35)) {
    text += "default " + Head(name, Constant(random_, *shape)) + "\n\n";
  }
  if (random_.Chance(12)) {
    Scope scope;
    text += Head(name, Term(shape, scope)) + "\n\n";
  } else {
    // Several definitions mostly agree.
    const bool agree = random_.Chance(75);
    const std::string constant = Constant(random_, *shape);
    for (unsigned i = random_.Chance(70) ? 1 : 2; i > 0; --i) {
      Scope scope;
      const std::vector<std::string> body = Body(scope, 1 + random_.Below(2), random_.Below(3));
      const std::string value = agree && i > 1 ? constant : Term(shape, scope);
      text += Head(name, i == 1 && agree && text.contains("if {\n") ? constant : value) +
              BodyBlock(body);
      for (unsigned j = random_.Chance(25) ? 1 + random_.Below(2) : 0; j > 0; --j) {
        Scope other;
        const std::vector<std::string> last = Body(other, 1, random_.Below(2));
        text += ' ' + Head("else", Term(shape, other)) +
                (j == 1 && random_.Chance(30) ? "" : BodyBlock(last));
      }
      text += "\n\n";
    }
  }
  roots_.push_back({package_, name, shape, true});
  return text;
}

std::string Generator::PartialSet() {
  const std::string name = NewRuleName("s");
  const ShapePtr item = MemberShape();
  std::string text;
  for (unsigned i = random_.Chance(70) ? 1 : 2; i > 0; --i) {
    Scope scope;
    if (dialect_.if_bodies && random_.Chance(8)) {
      text += name + " contains " + Term(item, scope) + "\n\n";
      continue;
    }
    const std::vector<std::string> body = Body(scope, 1 + random_.Below(3), random_.Below(3));
    const std::string member = Term(item, scope);
    text += (dialect_.if_bodies ? name + " contains " + member : name + '[' + member + ']') +
            BodyBlock(body) + "\n\n";
  }
  roots_.push_back({package_, name, SetOf(item), true});
  return text;
}

std::string Generator::PartialObject() {
  const std::string name = NewRuleName("o");
  const ShapePtr item = MemberShape();
  std::string text;
  for (unsigned i = random_.Chance(70) ? 1 : 2; i > 0; --i) {
    Scope scope;
    std::vector<std::string> body;
    std::string key;
    if (dialect_.in && random_.Chance(65)) {
      // Keys that do not clash.
      const ShapePtr map = MapOf(item);
      const std::string domain = Term(map, scope);
      key = NewVariable(scope, Simple(Kind::kString));
      body = {"some " + key + ", " + NewVariable(scope, item) + " in " + domain};
    }
    for (std::string& line : Body(scope, random_.Below(3), random_.Below(2))) {
      body.push_back(std::move(line));
    }
    if (body.empty()) {
      body.push_back("true");
    }
    if (key.empty()) {
      key = Term(Simple(Kind::kString), scope);
    }
    text += Head(name + '[' + key + ']', Term(item, scope)) + BodyBlock(body) + "\n\n";
  }
  roots_.push_back({package_, name, MapOf(item), true});
  return text;
}

// h.a.b := v, h.a[k].c := v, h[k1][k2] := v, h.a[k] contains x
std::string Generator::ReferenceHead() {
  const std::string name = NewRuleName("h");
  const ShapePtr item = MemberShape();
  std::string text;
  ShapePtr shape;
  const unsigned form = random_.Below(13);
  const bool has_else = form == 7 || form == 0 ? random_.Chance(20) : random_.Chance(3);
  for (unsigned i = 1 + random_.Below(2); i > 0; --i) {
    Scope scope;
    const std::vector<std::string> body = Body(scope, 1 + random_.Below(2), random_.Below(2));
    const std::string value = Term(item, scope);
    const auto key = [&] { return Term(Simple(Kind::kString), scope); };
    switch (form) {
      case 0:
        text += Head(name + ".a.b", value);
        shape = RecordOf({{"a", RecordOf({{"b", item}})}});
        break;
      case 1:
        text += Head(name + ".a[" + key() + "].c", value);
        shape = RecordOf({{"a", MapOf(RecordOf({{"c", item}}))}});
        break;
      case 2:
        text += Head(name + '[' + key() + "][" + key() + ']', value);
        shape = MapOf(MapOf(item));
        break;
      case 3:
        if (dialect_.if_bodies) {
          text += name + ".a[" + key() + "] contains " + value;
          shape = RecordOf({{"a", MapOf(SetOf(item))}});
        } else {
          text += Head(name + ".a[" + key() + ']', value);
          shape = RecordOf({{"a", MapOf(item)}});
        }
        break;
      case 5:
        text += Head(name + ".a[" + key() + "].b[" + key() + ']', value);
        shape = RecordOf({{"a", MapOf(RecordOf({{"b", MapOf(item)}}))}});
        break;
      case 6:
        text += Head(name + '[' + key() + "].c", value);
        shape = MapOf(RecordOf({{"c", item}}));
        break;
      case 8:
        // Without a value: true.
        text += name + '[' + key() + "][\"x y\"]";
        shape = MapOf(MapOf(Simple(Kind::kBoolean), kSpaced));
        break;
      case 9:
        if (dialect_.if_bodies) {
          text += name + '[' + key() + "][" + key() + "] contains " + value;
          shape = MapOf(MapOf(SetOf(item)));
        } else {
          text += Head(name + '[' + key() + "][" + key() + "].c", value);
          shape = MapOf(MapOf(RecordOf({{"c", item}})));
        }
        break;
      case 10:
        // A definition for some of the keys and one for a single one.
        text += i == 2 ? Head(name + ".a[" + key() + ']', value) : Head(name + ".a.b", value);
        shape = RecordOf({{"a", MapOf(item)}});
        break;
      case 11:
        text += Head(name + '[' + key() + "][" + Term(Simple(Kind::kNumber), scope) + ']', value);
        shape = MapOf(MapOf(item));
        break;
      case 7:
        text += Head(name + ".a.b.c", value);
        shape = RecordOf({{"a", RecordOf({{"b", RecordOf({{"c", item}})}})}});
        break;
      default:
        text += Head(name + ".a[" + key() + ']', value);
        shape = RecordOf({{"a", MapOf(item)}});
        break;
    }
    text += BodyBlock(body);
    if (has_else) {
      Scope other;
      text += ' ' + Head("else", Constant(random_, *item)) + BodyBlock(Body(other, 1, 0));
    }
    text += "\n\n";
  }
  if (form == 4 && random_.Chance(50)) {
    text += Head(name + ".a.b", Constant(random_, *item)) + "\n\n";
  }
  roots_.push_back({package_, name, shape, true});
  return text;
}

// Variables, constants, and patterns with both.
std::string Generator::Argument(const ShapePtr& shape, Scope& scope) {
  const unsigned roll = random_.Below(100);
  if (roll < 65) {
    return NewVariable(scope, shape);
  }
  if (roll < 70) {
    return "_";
  }
  if (IsScalar(*shape)) {
    return Constant(random_, *shape);
  }
  std::string text;
  if (shape->kind == Kind::kArray) {
    for (unsigned i = 1 + random_.Below(2); i > 0; --i) {
      text += (text.empty() ? "" : ", ") + Argument(shape->item, scope);
    }
    return '[' + text + ']';
  }
  if (shape->kind == Kind::kRecord) {
    for (const auto& [name, field] : shape->fields) {
      text += (text.empty() ? "\"" : ", \"") + name + "\": " + Argument(field, scope);
    }
    return '{' + text + '}';
  }
  return NewVariable(scope, shape);
}

std::string Generator::FunctionRule() {
  Function function{package_, NewRuleName("f"), {}, MemberShape()};
  if (random_.Chance(15)) {
    function.name += random_.Chance(70) ? ".g" : ".a.g";
  }
  for (unsigned i = random_.Chance(60) ? 1 : 2; i > 0; --i) {
    function.arguments.push_back(random_.Chance(60) ? RandomScalar(random_)
                                                    : RandomShape(random_, 1, true));
  }
  std::string text;
  if (random_.Chance(20)) {
    std::string blanks;
    for (std::size_t i = 0; i < function.arguments.size(); ++i) {
      blanks += i == 0 ? "_" : ", _";
    }
    text += "default " +
            Head(function.name + '(' + blanks + ')', Constant(random_, *function.result)) + "\n\n";
  }
  const unsigned definitions = 1 + random_.Below(3);
  const bool agree = random_.Chance(50);
  const std::string constant = Constant(random_, *function.result);
  for (unsigned i = 0; i < definitions; ++i) {
    Scope scope;
    std::string arguments;
    for (const ShapePtr& shape : function.arguments) {
      arguments += (arguments.empty() ? "" : ", ") + Argument(shape, scope);
    }
    scope.settled = scope.variables.size();
    const std::size_t of_arguments = scope.settled;
    const std::string head = function.name + '(' + arguments + ')';
    if (definitions == 1 && random_.Chance(30)) {
      text += Head(head, Term(function.result, scope)) + "\n\n";
      continue;
    }
    const std::vector<std::string> body = Body(scope, random_.Below(2), 1 + random_.Below(2));
    const std::string value = agree && definitions > 1 ? constant : Term(function.result, scope);
    text += Head(head, value) + BodyBlock(body);
    if (random_.Chance(25)) {
      Scope other = scope;
      other.variables.resize(random_.Chance(60) ? of_arguments : 0);
      other.settled = other.variables.size();
      text += ' ' + Head("else", Term(function.result, other)) +
              (random_.Chance(50) ? "" : BodyBlock(Body(other, 1, 0)));
    }
    text += "\n\n";
  }
  functions_.push_back(std::move(function));
  return text;
}

}  // namespace portcullis::differential
