#include <algorithm>
#include <array>
#include <span>

#include "tests/differential/generator.h"

namespace portcullis::differential {

std::string Generator::QualifiedName(std::size_t package, const std::string& name) const {
  if (package == package_) {
    return name;
  }
  const bool imported = std::ranges::find(imported_, package) != imported_.end();
  return (imported ? packages_[package].alias : "data." + packages_[package].path) + '.' + name;
}

std::string Generator::NameOf(const Root& root) const {
  return root.rule ? QualifiedName(root.package, root.name) : root.name;
}

std::string Generator::NameOf(const Function& function) const {
  return QualifiedName(function.package, function.name);
}

// Mostly a name that nothing else has; now and then one that shadows, or meets another by chance.
std::string Generator::FreshName(Scope& scope) {
  const unsigned roll = random_.Below(1000);
  if (roll < 3 && !scope.variables.empty()) {
    return random_.Pick(scope.variables).name;
  }
  static constexpr std::string_view kLetters = "xyzkvijnmst";
  const char letter = random_.Pick(kLetters);
  if (roll < 12) {
    return std::string(1, letter);
  }
  return letter + std::to_string(names_++);
}

std::string Generator::NewVariable(Scope& scope, const ShapePtr& shape) {
  std::string name = FreshName(scope);
  scope.variables.push_back({name, shape});
  return name;
}

// How many of the variables a term may use.
std::size_t Generator::Visible(const Scope& scope) {
  return random_.Chance(1) ? scope.variables.size()
                           : std::min(scope.settled, scope.variables.size());
}

// For what stands in a closure: what the same line binds outside is not bound there yet.
Scope Generator::Inside(const Scope& scope) {
  Scope inner = scope;
  inner.variables.resize(Visible(scope));
  --inner.depth;
  return inner;
}

ShapePtr Generator::AnyCollection() {
  const ShapePtr item = MemberShape();
  switch (random_.Below(4)) {
    case 0:
      return SetOf(item);
    case 1:
      return MapOf(item);
    default:
      return ArrayOf(item);
  }
}

std::string Generator::Term(const ShapePtr& want, Scope& scope) {
  const unsigned roll = random_.Below(100);
  if (scope.depth <= 0 || roll < 55) {
    if (auto reference = Reference(want, scope)) {
      return *reference;
    }
    if (scope.depth <= 0 || random_.Chance(50)) {
      return Constant(random_, *want);
    }
  } else if (roll < 67) {
    return Constant(random_, *want);
  }
  --scope.depth;
  std::string made = Made(want, scope);
  ++scope.depth;
  return made;
}

std::string Generator::Made(const ShapePtr& want, Scope& scope) {
  if (want->kind == Kind::kAny) {
    return Term(SmallShape(), scope);
  }
  const unsigned roll = random_.Below(100);
  if (IsCollection(*want) && roll < 35) {
    return Comprehension(want, scope);
  }
  if (want->kind == Kind::kString && dialect_.templates && roll < 10) {
    return Template(scope);
  }
  if (roll < 80) {
    if (auto call = Call(want, scope)) {
      return *call;
    }
  }
  return Literal(want, scope);
}

std::string Generator::Literal(const ShapePtr& want, Scope& scope) {
  std::string text;
  switch (want->kind) {
    case Kind::kArray:
    case Kind::kSet: {
      const unsigned size = random_.Below(4);
      if (want->kind == Kind::kSet && size == 0) {
        return "set()";
      }
      for (unsigned i = 0; i < size; ++i) {
        text += (i == 0 ? "" : ", ") + Term(want->item, scope);
      }
      return want->kind == Kind::kSet ? '{' + text + '}' : '[' + text + ']';
    }
    case Kind::kMap: {
      for (unsigned i = random_.Below(3); i > 0; --i) {
        const std::string key = random_.Chance(60)
                                    ? '"' + std::string(RandomKey(random_, *want)) + '"'
                                    : Term(Simple(Kind::kString), scope);
        text += (text.empty() ? "" : ", ") + key + ": " + Term(want->item, scope);
      }
      return '{' + text + '}';
    }
    case Kind::kRecord:
      for (const auto& [name, field] : want->fields) {
        text += (text.empty() ? "\"" : ", \"") + name + "\": " + Term(field, scope);
      }
      return '{' + text + '}';
    default:
      return Constant(random_, *want);
  }
}

std::string Generator::Comprehension(const ShapePtr& want, Scope& scope) {
  Scope inner = Inside(scope);
  inner.binds = true;
  std::string body = random_.Chance(12) ? Shadowing(inner) : "";
  body += (body.empty() ? "" : "; ") + Block(inner);
  if (want->kind == Kind::kMap) {
    const std::string key = Term(Simple(Kind::kString), inner);
    return '{' + key + ": " + Term(want->item, inner) + " | " + body + '}';
  }
  const std::string item = Term(want->item, inner);
  return want->kind == Kind::kArray ? '[' + item + " | " + body + ']'
                                    : '{' + item + " | " + body + '}';
}

// Declares a name anew that is known outside; empty: there is none.
std::string Generator::Shadowing(Scope& scope) {
  if (scope.variables.empty()) {
    return "";
  }
  const std::string name = random_.Pick(scope.variables).name;
  const ShapePtr item = MemberShape();
  const std::string value = Term(dialect_.in ? ArrayOf(item) : item, scope);
  std::erase_if(scope.variables, [&](const Variable& variable) { return variable.name == name; });
  scope.variables.push_back({name, item});
  scope.settled = scope.variables.size();
  return dialect_.in ? "some " + name + " in " + value : name + " := " + value;
}

std::string Generator::Template(Scope& scope) {
  std::string text = random_.Chance(80) ? "$\"" : "$`";
  const char end = text.back();
  Scope closed = scope;
  closed.binds = false;
  for (unsigned i = 1 + random_.Below(3); i > 0; --i) {
    text += random_.Pick(std::to_array<std::string_view>({"", "a ", "<", "-", "é", ": "}));
    text += '{' + Term(MemberShape(), closed) + '}';
  }
  return text + std::string(random_.Pick(std::to_array<std::string_view>({"", ">", " b"}))) + end;
}

std::optional<std::string> Generator::Reference(const ShapePtr& want, Scope& scope) {
  if (want->kind == Kind::kAny) {
    return std::nullopt;
  }
  // Variables first: they are what makes a program hang together.
  std::vector<const Variable*> near;
  for (const Variable& variable : std::span(scope.variables).first(Visible(scope))) {
    if (Holds(*variable.shape, *want) &&
        (scope.binds || Same(*variable.shape, *want) || !IsCollection(*variable.shape))) {
      near.push_back(&variable);
    }
  }
  if (!near.empty() && random_.Chance(60)) {
    const Variable variable =
        *near[std::max(random_.Below(near.size()), random_.Below(near.size()))];
    return Path({0, variable.name, variable.shape, true}, want, scope);
  }
  std::vector<const Root*> far;
  for (const Root& root : roots_) {
    if (Holds(*root.shape, *want) && (scope.binds || !root.rule || Same(*root.shape, *want))) {
      far.push_back(&root);
    }
  }
  for (const Root& alias : aliases_) {
    if (Holds(*alias.shape, *want) && (scope.binds || !alias.rule || Same(*alias.shape, *want))) {
      far.push_back(&alias);
    }
  }
  if (far.empty()) {
    return std::nullopt;
  }
  const Root root = *random_.Pick(far);
  return Path({0, NameOf(root), root.shape, root.rule}, want, scope);
}

// The key of a step into a map, an array or a set. Where the type checker knows what is in it (`known`), a constant is mostly
// refused.
std::string Generator::Key(const ShapePtr& shape, Scope& scope, const Shape& holder, bool known) {
  std::vector<const Variable*> bound;
  for (const Variable& variable : std::span(scope.variables).first(Visible(scope))) {
    if (Same(*variable.shape, *shape)) {
      bound.push_back(&variable);
    }
  }
  const unsigned roll = random_.Below(100);
  if (!bound.empty() && (roll < 30 || (known && !scope.binds))) {
    return random_.Pick(bound)->name;
  }
  if (scope.binds && (roll >= 50 || (known && roll >= 32))) {
    return roll % 3 == 0 ? "_" : NewVariable(scope, shape);
  }
  switch (holder.kind) {
    case Kind::kArray:
      return std::to_string(random_.Below(3));
    case Kind::kMap:
      return '"' + std::string(RandomKey(random_, holder)) + '"';
    default:
      return Constant(random_, *shape);
  }
}

std::string Generator::Path(const Root& root, const ShapePtr& want, Scope& scope) {
  std::string text = root.name;
  ShapePtr from = root.shape;
  for (;;) {
    if (Same(*from, *want) && (!from->item || random_.Chance(80) || !Holds(*from->item, *want))) {
      return text;
    }
    ShapePtr next;
    switch (from->kind) {
      case Kind::kRecord: {
        std::vector<const std::pair<std::string, ShapePtr>*> ways;
        for (const auto& field : from->fields) {
          if (Holds(*field.second, *want)) {
            ways.push_back(&field);
          }
        }
        const auto& way = *random_.Pick(ways);
        text += random_.Chance(80) ? '.' + way.first : "[\"" + way.first + "\"]";
        next = way.second;
        break;
      }
      case Kind::kArray:
        text += '[' + Key(Simple(Kind::kNumber), scope, *from, root.rule) + ']';
        next = from->item;
        break;
      case Kind::kMap: {
        const std::string key = Key(Simple(Kind::kString), scope, *from, root.rule);
        const bool plain = key.size() > 2 && key[0] == '"' &&
                           std::ranges::all_of(key.substr(1, key.size() - 2),
                                               [](char c) { return c >= 'a' && c <= 'z'; });
        text += plain && random_.Chance(60) ? '.' + key.substr(1, key.size() - 2) : '[' + key + ']';
        next = from->item;
        break;
      }
      default:
        // s[[x, "a"]]: members that fit a pattern.
        text += '[' +
                (scope.binds && !IsScalar(*from->item) && random_.Chance(40)
                     ? Pattern(from->item, scope, false)
                     : Key(from->item, scope, *from, root.rule)) +
                ']';
        next = from->item;
        break;
    }
    from = next;
  }
}

}  // namespace portcullis::differential
