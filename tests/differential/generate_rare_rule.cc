// Rules with several bodies, and imports of parts of documents.

#include <algorithm>

#include "tests/differential/generator.h"

namespace portcullis::differential {

// v0: r { … } { … }, each body a definition.
std::string Generator::ChainedRule() {
  const ShapePtr item = MemberShape();
  const std::string variable = "u" + std::to_string(names_++);
  std::string text;
  std::string first;  // Of each body.
  Function function{package_, "", {}, item};
  switch (random_.Below(3)) {
    case 0: {
      const std::string name = NewRuleName("r");
      text = name + " = " + Constant(random_, *item);
      roots_.push_back({package_, name, item, true});
      break;
    }
    case 1: {
      const std::string name = NewRuleName("s");
      text = name + '[' + variable + ']';
      first = variable;
      roots_.push_back({package_, name, SetOf(item), true});
      break;
    }
    default: {
      function.name = NewRuleName("f");
      function.arguments.push_back(item);
      text = function.name + '(' + variable + ") = " + Constant(random_, *item);
      functions_.push_back(function);
      break;
    }
  }
  // What a body reads must be above the rule.
  const Root made = first.empty() && !function.name.empty() ? Root() : roots_.back();
  if (function.name.empty()) {
    roots_.pop_back();
  } else {
    functions_.pop_back();
  }
  for (unsigned i = 2 + random_.Below(2); i > 0; --i) {
    Scope scope;
    std::vector<std::string> body;
    if (!first.empty()) {
      body.push_back(first + " = " + Term(item, scope));
    }
    if (!function.name.empty()) {
      scope.variables.push_back({variable, item});
    }
    for (std::string& line : Body(scope, random_.Below(2), 1)) {
      body.push_back(std::move(line));
    }
    text += BodyBlock(body);
  }
  if (function.name.empty()) {
    roots_.push_back(made);
  } else {
    functions_.push_back(std::move(function));
  }
  return text + "\n\n";
}

// import input.a as alias0
std::string Generator::Imports() {
  aliases_.clear();
  std::string text;
  for (const Root& root : roots_) {
    if (!random_.Chance(18)) {
      continue;
    }
    std::string path =
        root.rule ? "data." + packages_[root.package].path + '.' + root.name : root.name;
    ShapePtr shape = root.shape;
    bool is_rule = root.rule;
    while (shape->kind == Kind::kRecord && random_.Chance(root.rule ? 20 : 80)) {
      const auto& field = random_.Pick(shape->fields);
      path += '.' + field.first;
      shape = field.second;
    }
    const bool plain = path.contains('.') && random_.Chance(20);
    const std::string name =
        plain ? path.substr(path.rfind('.') + 1) : "alias" + std::to_string(names_++);
    if (name == root.name || std::ranges::find(aliases_, name, &Root::name) != aliases_.end()) {
      continue;
    }
    text += "import " + path + (plain ? "" : " as " + name) + '\n';
    // As a rule's, its name is what it is called in this package.
    aliases_.push_back({package_, name, shape, is_rule});
  }
  return text;
}

}  // namespace portcullis::differential
