#include <array>
#include <utility>

#include "tests/differential/generator.h"

namespace portcullis::differential {

Program GenerateProgram(std::uint64_t seed, Flavour flavour) {
  return Generator(seed, flavour).Run();
}

Dialect Generator::RandomDialect(const std::string& version) {
  if (version == "v1") {
    switch (random_.Below(6)) {
      case 0:
        return {version, "import rego.v2\n", true, true, true, true};
      case 1:
        return {
            version,
            "import future.keywords.and\nimport future.keywords.or\nimport future.keywords.not\n",
            true,
            true,
            true,
            true};
      case 2:
        return {version, "import rego.v1\n", true, true, false, true};
      default:
        return {version, "", true, true, false, true};
    }
  }
  switch (random_.Below(4)) {
    case 0:
      return {version, "import future.keywords\n", true, true, false, false};
    case 1:
      return {version, "import rego.v1\n", true, true, false, false};
    default:
      return {version, "", false, false, false, false};
  }
}

// Now and then something that is refused, or fails.
std::string Generator::Fault() {
  switch (random_.Below(24)) {
    case 10:
      return "e0 := 1; e0 := 2";
    case 11:
      return "every e1 in [1, 2] { e1 > 0; e2 }";
    case 12:
      return "input.a := 1";
    case 13:
      return "some e3; e3 > 1";
    case 14:
      return "[e4, e4] := [1, 2]";
    case 15:
      return "object.get({}, 1) == 2";
    case 16:
      return "{1} | {2} == {1, 2}";
    case 17:
      return "1 + \"a\" == 2";
    case 18:
      return "data.base[e5] == 1 with data.base as {\"z\": 1}";
    case 19:
      return "sprintf(\"%d\", \"x\") == \"\"";
    case 0:
      return "unknown_variable > 1";
    case 1:
      return "count(1) == 1";
    case 2:
      return "undefined_function(1)";
    case 3:
      return "startswith(\"a\")";
    case 4:
      return "\"a\" == 1";
    case 5:
      return "to_number(\"x\") == 1";
    case 6:
      return "1 / 0 > 0";
    case 7:
      return "regex.match(\"(\", \"a\")";
    case 8:
      return "not input.missing";
    case 9:
      return roots_.empty() || !roots_.back().rule ? "true" : NameOf(roots_.back()) + " != 7";
    default:
      return "print(\"seen\", input)";
  }
}

void Generator::MakeDocuments() {
  static constexpr auto kNames =
      std::to_array<std::string_view>({"a", "xs", "m", "objs", "n", "name"});
  const auto document = [&] {
    std::vector<std::pair<std::string, ShapePtr>> fields;
    for (const std::string_view name : kNames) {
      ShapePtr shape = name == "xs"     ? ArrayOf(RandomScalar(random_))
                       : name == "m"    ? MapOf(RandomShape(random_, 1, false))
                       : name == "objs" ? ArrayOf(RandomShape(random_, 2, false))
                       : name == "n"    ? Simple(Kind::kNumber)
                       : name == "name" ? Simple(Kind::kString)
                                        : RandomShape(random_, 3, false);
      fields.emplace_back(name, shape);
    }
    return RecordOf(std::move(fields));
  };
  const ShapePtr input = document();
  const ShapePtr base = document();
  roots_.push_back({0, "input", input, false});
  roots_.push_back({0, "data.base", base, false});
  if (!random_.Chance(3)) {
    program_.input = Constant(random_, *input, true);
  }
  program_.data = "{\"base\": " + Constant(random_, *base, true);
  if (flavour_ == Flavour::kInventory || random_.Chance(10)) {
    const ShapePtr inventory = InventoryShape();
    roots_.push_back({0, "data.inventory", inventory, false});
    program_.data += ", \"inventory\": " + RandomInventory(random_);
  }
}

void Generator::MakePackage(std::size_t number) {
  package_ = number;
  imported_.clear();
  const auto header = [&] {
    dialect_ = RandomDialect(program_.version);
    std::string text = (random_.Chance(3) ? Annotation("package") : "") + "package " +
                       packages_[number].path + "\n\n" + dialect_.imports;
    for (std::size_t i = 0; i < number; ++i) {
      if (random_.Chance(50)) {
        imported_.push_back(i);
        text += "import data." + packages_[i].path + " as " + packages_[i].alias + '\n';
      }
    }
    return text + Imports() + '\n';
  };
  std::string text = header();
  const unsigned rules = 1 + random_.Below(4);
  std::string file = "p" + std::to_string(number) + ".rego";
  for (unsigned i = 0; i < rules; ++i) {
    if (i > 0 && random_.Chance(5)) {
      program_.modules[std::exchange(file, "p" + std::to_string(number) + "b.rego")] = text;
      imported_.clear();
      text = header();
    }
    text += Rule();
  }
  program_.modules[file] = text;
}

std::string Generator::Query() {
  std::vector<std::string> rules;
  for (const Root& root : roots_) {
    if (root.rule) {
      rules.push_back("data." + packages_[root.package].path + '.' + root.name);
    }
  }
  if (flavour_ == Flavour::kInventory) {
    return "x = " + (rules.empty() ? "data." + packages_[0].path : rules.back());
  }
  const unsigned roll = random_.Below(100);
  if (roll < 45 && !rules.empty()) {
    return "x = " + (random_.Chance(50) ? rules.back() : random_.Pick(rules));
  }
  if (roll < 85) {
    return "x = data." +
           packages_[random_.Chance(60) ? packages_.size() - 1 : random_.Below(packages_.size())]
               .path;
  }
  if (roll < 90) {
    return "x = data";
  }
  if (roll < 92) {
    // Documents by names that are found at run time.
    const std::string& path = packages_[random_.Below(packages_.size())].path;
    const std::string name = rules.empty() ? "r0" : random_.Pick(rules);
    switch (random_.Below(5)) {
      case 0:
        return "x = data[y][z]";
      case 1:
        return "x = data." + path + "[y][z]";
      case 2:
        return "y = \"" + path.substr(0, path.find('.')) + "\"; x = data[y]";
      case 3:
        return "x = data[y]." + name.substr(name.rfind('.') + 1);
      default:
        return "x = data." + path + "[y]; not is_boolean(x)";
    }
  }
  if (roll < 95 && !rules.empty()) {
    return "x = " + random_.Pick(rules) + "[y]";
  }
  // A body of its own, as of a package that sees all others.
  packages_.push_back({"query", "query"});
  aliases_.clear();
  package_ = packages_.size() - 1;
  imported_.clear();
  dialect_ = {"v1", "", true, true, false, true};
  withs_ = false;  // In queries OPA is of two minds about them.
  Scope scope;
  std::string text;
  for (const std::string& line : Body(scope, 2, 1)) {
    text += (text.empty() ? "" : "; ") + line;
  }
  return text + "; x = " + Term(MemberShape(), scope);
}

Program Generator::Run() {
  program_.version = random_.Chance(45) ? "v0" : "v1";
  program_.strict_builtin_errors = flavour_ == Flavour::kLanguage && random_.Chance(25);
  program_.strict = random_.Chance(2);
  program_.inventory = flavour_ == Flavour::kInventory;
  MakeDocuments();
  static constexpr auto kPaths = std::to_array<std::string_view>({"p", "q", "q.sub", "lib.a", "s"});
  const unsigned roll = random_.Below(100);
  const std::size_t count = roll < 45 ? 1 : roll < 80 ? 2 : 3;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string path(kPaths[(i + random_.Below(2)) % kPaths.size()]);
    packages_.push_back(
        {path + (random_.Chance(50) ? "" : std::to_string(i)), "lib" + std::to_string(i)});
  }
  for (std::size_t i = 0; i < count; ++i) {
    MakePackage(i);
    // Base documents beside the rules, and now and then below the name of one.
    if (random_.Chance(15) && !packages_[i].path.contains('.')) {
      const std::string extra =
          random_.Chance(70) || !roots_.back().rule ? "extra" : roots_.back().name;
      const std::string text = ", \"" + packages_[i].path + "\": {\"" + extra +
                               "\": " + Constant(random_, *MapOf(RandomScalar(random_))) + '}';
      if (!program_.data.contains(text.substr(0, text.find(':')))) {
        program_.data += text;
      }
    }
  }
  program_.data += '}';
  program_.query = Query();
  return program_;
}

}  // namespace portcullis::differential
