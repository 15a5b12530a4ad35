#include <algorithm>
#include <array>

#include "tests/differential/generator.h"

namespace portcullis::differential {

std::vector<std::string> Generator::Body(Scope& scope, unsigned binders, unsigned filters) {
  std::vector<std::string> lines;
  while (binders + filters > 0) {
    const bool bind = random_.Below(binders + filters) < binders;
    scope.settled = scope.variables.size();
    Scope before = scope;
    lines.push_back(bind ? Binder(scope) : Filter(scope));
    if (withs_ && random_.Chance(9)) {
      lines.back() += Withs(before);
    }
    --(bind ? binders : filters);
  }
  scope.settled = scope.variables.size();
  // The compiler has to find the order again, or to refuse it.
  if (lines.size() > 1 && random_.Chance(6)) {
    std::swap(lines[random_.Below(lines.size())], lines[random_.Below(lines.size())]);
  }
  return lines;
}

std::string Generator::Block(Scope& scope) {
  std::string text;
  for (const std::string& line : Body(scope, 1, random_.Chance(45) ? 1 : 0)) {
    text += (text.empty() ? "" : "; ") + line;
  }
  return text;
}

// A term that unifies with values of the shape, with new variables in it.
std::string Generator::Pattern(const ShapePtr& shape, Scope& scope, bool declares) {
  if (shape->kind == Kind::kRecord && random_.Chance(70)) {
    std::string text;
    for (const auto& [name, field] : shape->fields) {
      text += (text.empty() ? "\"" : ", \"") + name + "\": " + Pattern(field, scope, declares);
    }
    return '{' + text + '}';
  }
  if (shape->kind == Kind::kArray && random_.Chance(70)) {
    std::string text;
    for (unsigned i = 1 + random_.Below(3); i > 0; --i) {
      text += (text.empty() ? "" : ", ") + Pattern(shape->item, scope, declares);
    }
    return '[' + text + ']';
  }
  const unsigned roll = random_.Below(100);
  if (roll < 20) {
    return "_";
  }
  return declares || roll < 80 ? NewVariable(scope, shape) : Term(shape, scope);
}

std::string Generator::ObjectBinder(Scope& scope) {
  const ShapePtr shape = ObjectShape();
  Root root{0, "data.inventory", InventoryShape(), false};
  // Mostly namespaced objects: the other tree is found by the way.
  if (random_.Chance(75)) {
    root.name += ".namespace";
    root.shape = root.shape->fields.back().second;
  }
  std::string text = Path(root, shape, scope);
  const std::string object = NewVariable(scope, shape);
  text = object + (random_.Chance(70) ? " := " : " = ") + text;
  if (random_.Chance(65)) {
    // A join on a part of the object.
    const ShapePtr part = Simple(random_.Chance(80) ? Kind::kString : Kind::kNumber);
    const std::string side = Path({0, object, shape, false}, part, scope);
    const std::string other = Term(part, scope);
    text += "; " + (random_.Chance(50) ? side + " == " + other : other + " == " + side);
  }
  return text;
}

std::string Generator::Binder(Scope& scope) {
  if (flavour_ == Flavour::kInventory && random_.Chance(45)) {
    return ObjectBinder(scope);
  }
  const ShapePtr item = MemberShape();
  switch (random_.Below(20)) {
    case 0:
    case 1:
    case 2: {
      const ShapePtr shape = SmallShape();
      const std::string term = Term(shape, scope);
      return NewVariable(scope, shape) + " := " + term;
    }
    case 3: {
      const ShapePtr shape = SmallShape();
      const std::string term = Term(shape, scope);
      const std::string name = NewVariable(scope, shape);
      return random_.Chance(50) ? name + " = " + term : term + " = " + name;
    }
    case 4:
    case 5: {
      // A pattern and a value that mostly fits: arrays of constants hardly ever have the length that is wanted.
      const ShapePtr shape = random_.Chance(50) ? RandomShape(random_, 2, true) : ArrayOf(item);
      const auto found = Reference(shape, scope);
      if (!found && shape->kind == Kind::kArray && random_.Chance(90)) {
        return NewVariable(scope, shape) + " = " + Constant(random_, *shape);
      }
      const std::string term = found ? *found : Constant(random_, *shape);
      if (random_.Chance(30)) {
        // What declares must be more than a blank.
        const std::string last = Term(item, scope);
        return '[' + Pattern(shape, scope, true) + ", " + NewVariable(scope, item) + "] := [" +
               term + ", " + last + ']';
      }
      const std::string pattern = Pattern(shape, scope, false);
      return random_.Chance(50) ? pattern + " = " + term : term + " = " + pattern;
    }
    case 6: {
      // Patterns on both sides.
      const ShapePtr other = MemberShape();
      const std::string first = Term(item, scope);
      const std::string second = Term(other, scope);
      const std::string left = NewVariable(scope, item);
      const std::string right = NewVariable(scope, other);
      return '[' + left + ", " + second + "] = [" + first + ", " + right + ']';
    }
    case 7:
    case 8:
    case 9:
    case 10: {
      const ShapePtr list = AnyCollection();
      const std::string term = Term(list, scope);
      if (!dialect_.in) {
        const ShapePtr key = list->kind == Kind::kArray ? Simple(Kind::kNumber)
                             : list->kind == Kind::kMap ? Simple(Kind::kString)
                                                        : list->item;
        const std::string all = NewVariable(scope, list);
        const std::string index = NewVariable(scope, key);
        const std::string value = NewVariable(scope, list->item);
        return all + " := " + term + "; " + value + " := " + all + '[' + index + ']';
      }
      if (random_.Chance(50)) {
        const bool pattern = random_.Chance(20);
        return "some " +
               (pattern ? Pattern(list->item, scope, true) : NewVariable(scope, list->item)) +
               " in " + term;
      }
      const ShapePtr key = list->kind == Kind::kArray ? Simple(Kind::kNumber)
                           : list->kind == Kind::kMap ? Simple(Kind::kString)
                                                      : list->item;
      const std::string name = random_.Chance(20) ? "_" : NewVariable(scope, key);
      return "some " + name + ", " + NewVariable(scope, list->item) + " in " + term;
    }
    case 11: {
      const std::string name = FreshName(scope);
      const ShapePtr list = ArrayOf(item);
      const std::string term = Term(list, scope);
      const std::string all = NewVariable(scope, list);
      scope.variables.push_back({name, Simple(Kind::kNumber)});
      const std::string value = NewVariable(scope, item);
      return "some " + name + "; " + all + " = " + term + "; " + value + " = " + all + '[' + name +
             ']';
    }
    case 12: {
      // What a variable iterates over is bound by the reference itself.
      for (const Variable& variable : scope.variables) {
        if (IsCollection(*variable.shape)) {
          const Variable chosen = variable;
          const ShapePtr key = chosen.shape->kind == Kind::kArray ? Simple(Kind::kNumber)
                               : chosen.shape->kind == Kind::kMap ? Simple(Kind::kString)
                                                                  : chosen.shape->item;
          return chosen.name + '[' + NewVariable(scope, key) + ']';
        }
      }
      [[fallthrough]];
    }
    case 13: {
      const std::string term = Term(SmallShape(), scope);
      const std::string path = NewVariable(scope, ArrayOf(Simple(Kind::kAny)));
      return "walk(" + term + ", [" + path + ", " + NewVariable(scope, Simple(Kind::kAny)) + "])";
    }
    case 14: {
      const std::string first = Term(Simple(Kind::kString), scope);
      return "split(" + first + ", \"" + (random_.Chance(50) ? "" : "-") + "\", " +
             NewVariable(scope, ArrayOf(Simple(Kind::kString))) + ")";
    }
    case 15: {
      // A document by a name that is found at run time.
      const std::string& chosen = packages_[random_.Below(package_ + 1)].path;
      if (packages_[package_].path.starts_with(chosen) || random_.Chance(20)) {
        const std::string name = NewVariable(scope, Simple(Kind::kString));
        return NewVariable(scope, Simple(Kind::kAny)) + " = " +
               std::string(random_.Chance(97) ? "data.base[" : "data[") + name + ']';
      }
      const std::string name = NewVariable(scope, Simple(Kind::kString));
      return NewVariable(scope, Simple(Kind::kAny)) + " = data." + chosen + '[' + name + ']';
    }
    default: {
      const std::string term = Term(item, scope);
      return NewVariable(scope, item) + (random_.Chance(75) ? " := " : " = ") + term;
    }
  }
}

std::string Generator::Comparison(Scope& scope) {
  const ShapePtr shape = random_.Chance(80) ? RandomScalar(random_) : SmallShape();
  std::string left = Term(shape, scope);
  if (left.starts_with('{') && random_.Chance(98)) {
    // Else it would be read as a body, or be refused.
    left = '(' + left + ')';
  }
  const std::string right = random_.Chance(40) ? Constant(random_, *shape) : Term(shape, scope);
  static constexpr auto kOperators =
      std::to_array<std::string_view>({"==", "!=", "!=", "!=", "<", "<=", ">", ">=", "=="});
  return left + ' ' + std::string(random_.Pick(kOperators)) + ' ' + right;
}

// REQUIRES: a scope of its own.
std::string Generator::Every(Scope& scope) {
  const ShapePtr list = AnyCollection();
  const std::string domain = Term(list, scope);
  scope.binds = true;
  const ShapePtr key = list->kind == Kind::kArray ? Simple(Kind::kNumber)
                       : list->kind == Kind::kMap ? Simple(Kind::kString)
                                                  : list->item;
  const std::string value = NewVariable(scope, list->item);
  const std::string index = random_.Chance(50) ? NewVariable(scope, key) : "";
  scope.settled = scope.variables.size();
  const std::string body = random_.Chance(30) ? Block(scope) : Filter(scope);
  // A variable that is not used is refused.
  const auto used = [&](const std::string& name) {
    return random_.Chance(2) || body.contains(name) ? name : "_";
  };
  return "every " + (index.empty() ? "" : used(index) + ", ") + used(value) + " in " + domain +
         " { " + body + " }";
}

std::string Generator::Filter(Scope& scope) {
  // A scope whose references bind nothing: for what stands in a negation.
  Scope closed = Inside(scope);
  closed.binds = false;
  if (random_.Chance(2)) {
    return Fault();
  }
  switch (random_.Below(16)) {
    case 0:
    case 1:
      return "not " +
             (random_.Chance(70) ? Comparison(closed) : Term(Simple(Kind::kBoolean), closed));
    case 2:
      return "not " + BooleanCall(closed);
    case 3: {
      return dialect_.in ? Every(closed) : Comparison(scope);
    }
    case 4: {
      if (!dialect_.logic) {
        return BooleanCall(scope);
      }
      closed.binds = true;
      const auto side = [&] {
        Scope inner = closed;
        return random_.Chance(40) ? "{ " + Block(inner) + " }"
                                  : Term(Simple(Kind::kBoolean), inner);
      };
      switch (random_.Below(3)) {
        case 0:
          return "not { " + Block(closed) + " }";
        case 1: {
          const std::string left = side();
          return left + " and " + side();
        }
        default: {
          const std::string left = side();
          return left + " or " + side();
        }
      }
    }
    case 5:
    case 6:
      return BooleanCall(scope);
    case 7:
      return Term(Simple(Kind::kBoolean), scope);
    case 8:
      return "count(" + Term(AnyCollection(), scope) + ") " + (random_.Chance(60) ? ">= " : "> ") +
             std::to_string(random_.Below(2));
    case 9: {
      // Two ways to one value: a join.
      const ShapePtr shape = Simple(random_.Chance(60) ? Kind::kString : Kind::kNumber);
      const auto left = Reference(shape, scope);
      const auto right = Reference(shape, scope);
      return left && right ? *left + (random_.Chance(50) ? " == " : " = ") + *right
                           : Comparison(scope);
    }
    case 10: {
      if (!dialect_.in) {
        return Comparison(scope);
      }
      const ShapePtr list = AnyCollection();
      const ShapePtr key = list->kind == Kind::kArray ? Simple(Kind::kNumber)
                           : list->kind == Kind::kMap ? Simple(Kind::kString)
                                                      : list->item;
      const std::string member = Term(list->item, closed);
      const std::string domain = Term(list, closed);
      return (random_.Chance(30) ? "not (" : "(") +
             (random_.Chance(50) ? Term(key, closed) + ", " : "") + member + " in " + domain + ')';
    }
    default:
      return Comparison(scope);
  }
}

std::string Generator::Withs(Scope& scope) {
  std::string text = With(scope);
  while (random_.Chance(30)) {
    text += With(scope);
  }
  return text;
}

std::string Generator::With(Scope& scope) {
  Scope closed = Inside(scope);
  closed.binds = false;
  switch (random_.Below(8)) {
    case 0: {
      for (const Root& root : roots_) {
        if (root.name == "input" && random_.Chance(60)) {
          return " with input as " + Term(root.shape, closed);
        }
      }
      return " with input as {}";
    }
    case 1:
      if (!functions_.empty()) {
        const Function function = random_.Pick(functions_);
        if (random_.Chance(40)) {
          return " with " + NameOf(function) + " as " + Term(function.result, closed);
        }
        for (const Function& other : functions_) {
          if (function.arguments.size() == 1 && random_.Chance(20)) {
            return random_.Chance(50) ? " with count as " + NameOf(function)
                                      : " with " + NameOf(function) + " as type_name";
          }
          if (other.name != function.name && other.arguments.size() == function.arguments.size() &&
              Same(*other.result, *function.result) && random_.Chance(50)) {
            return " with " + NameOf(function) + " as " + NameOf(other);
          }
        }
      }
      [[fallthrough]];
    case 2: {
      static constexpr auto kMocks = std::to_array<std::string_view>(
          {" with count as 3", " with upper as lower", " with lower as \"low\"",
           " with sprintf as \"text\"", " with to_number as 1", " with abs as round",
           " with startswith as endswith", " with type_name as \"a\""});
      return std::string(random_.Pick(kMocks));
    }
    default: {
      const Root root = random_.Pick(roots_);
      std::string text =
          root.rule ? "data." + packages_[root.package].path + '.' + root.name : root.name;
      ShapePtr shape = root.shape;
      // Below a document, or the whole of a rule.
      while (!root.rule && random_.Chance(70)) {
        if (shape->kind == Kind::kRecord) {
          const auto& field = random_.Pick(shape->fields);
          text += '.' + field.first;
          shape = field.second;
        } else if (shape->kind == Kind::kMap) {
          text += "[\"" + std::string(RandomKey(random_, *shape)) + "\"]";
          shape = shape->item;
        } else {
          break;
        }
      }
      return " with " + text + " as " + Term(shape, closed);
    }
  }
}

}  // namespace portcullis::differential
