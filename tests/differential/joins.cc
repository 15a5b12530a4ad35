// joins: random policies that join what is reviewed with the inventory, over an inventory with a history of changes, answered four
// ways: by indexes, by scans, from a plain document, and by OPA. All must agree, to the text of errors.
//
//   joins [--seed N] [--count N] [--peer PROGRAM] [--show]
//
// Policies come and go, so that indexes are built, shared and dropped between cases; the store is closed and opened now and then.

#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/clock.h"
#include "document/json.h"
#include "rules/rego/catalog.h"
#include "rules/rego/engine.h"
#include "rules/rego/key_programs.h"
#include "tests/differential/outcome.h"
#include "tests/differential/peer.h"
#include "tests/differential/random.h"
#include "tests/index/test_inventory.h"

namespace portcullis::differential {
namespace {

using document::Value;

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t count = 300;
  std::string peer;
  bool show = false;
};

constexpr std::array<std::string_view, 12> kScalars = {"\"x\"", "\"y\"", "\"web\"", "1",
                                                       "2",     "1.5",   "true",    "false",
                                                       "null",  "\"1\"", "\"\"",    "\"db\""};
constexpr std::array<std::string_view, 3> kNames = {"a", "b", "c"};
constexpr std::array<std::string_view, 3> kLabels = {"app", "tier", "x"};
constexpr std::array<std::string_view, 2> kSpaces = {"n1", "n2"};

std::string Scalar(Random& random) {
  return std::string(random.Pick(kScalars));
}

std::string Quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

// Objects that share names, labels and values, and lack this or that.
class Shape {
 public:
  explicit Shape(Random& random) : random_(random) {}

  std::string Metadata(std::string_view name, std::string_view name_space) {
    std::string text = R"({"name":)" + Quoted(name);
    if (!name_space.empty()) {
      text += R"(,"namespace":)" + Quoted(name_space);
    }
    if (random_.Chance(70)) {
      text += R"(,"labels":)" + Map();
    }
    return text + "}";
  }

  std::string Spec() {
    std::vector<std::string> fields;
    const auto add = [&](std::string_view name, const std::string& value) {
      if (random_.Chance(75)) {
        fields.push_back(Quoted(name) + ":" + value);
      }
    };
    add("a", random_.Chance(85) ? Scalar(random_) : Map());
    add("b", Mostly(List()));
    add("c", fmt::format("[{}]", fmt::join(Pairs(), ",")));
    add("m", Mostly(Map()));
    return fmt::format("{{{}}}", fmt::join(fields, ","));
  }

  // Now and then something of another type.
  std::string Mostly(std::string value) {
    const unsigned other = random_.Below(20);
    return other == 0 ? Scalar(random_) : other == 1 ? Map() : other == 2 ? List() : value;
  }

  std::string Map() {
    std::string text = "{";
    for (const std::string_view label : kLabels) {
      if (random_.Chance(50)) {
        text += (text.size() > 1 ? "," : "") + Quoted(label) + ":" + Scalar(random_);
      }
    }
    return text + "}";
  }

  std::string List() {
    std::vector<std::string> items(random_.Below(4));
    for (std::string& item : items) {
      item = Scalar(random_);
    }
    return fmt::format("[{}]", fmt::join(items, ","));
  }

 private:
  std::vector<std::string> Pairs() {
    std::vector<std::string> pairs(random_.Below(3));
    for (std::string& pair : pairs) {
      pair = R"({"k":)" + Scalar(random_) + R"(,"v":)" + Scalar(random_) + "}";
    }
    return pairs;
  }

  Random& random_;
};

// Functions that policies may call; all of every policy, used or not.
constexpr std::string_view kFunctions = R"(
flat(o) = y { y := concat(",", sort([concat(":", [k, sprintf("%v", [v])]) | v := o.spec.m[k]])) }
size(o) = count(o.spec.b)
first(o) = o.spec.b[0]
number(o) = to_number(o.spec.a)
kind_of(o) = "map" { is_object(o.spec.a) } else = "none" { not o.spec.a } else = "scalar"
twice(o) = o.spec.a { o.spec.b }
twice(o) = o.metadata.labels.app { o.spec.m }
default tier(_) = "none"
tier(o) = o.metadata.labels.tier
same_a(x, y) { x.spec.a == y.spec.a }
same_b(x, y) { x.spec.b[_] == y.spec.b[_] }
either(x, y) { same_a(y, x) }
either(x, y) { x.metadata.labels.app == y.metadata.labels.app }
label(o, l) = o.metadata.labels[l]
identical(o, r) { o.metadata.name == r.metadata.name; o.metadata.namespace == r.metadata.namespace }
differs(wanted, known) { v := wanted[k]; not known[k] == v }
outside(list, known) { x := list[_]; not x in known }
lacks(o, known) { some i; x := o.spec.b[i]; not known[x] }
)";

class Policy {
 public:
  explicit Policy(Random& random) : random_(random) {}

  std::string Write() {
    std::string body;
    if (random_.Chance(60)) {
      body += "  r := input.object\n";
    } else {
      body += "  r := input.objects[_]\n";
    }
    switch (random_.Below(12)) {
      case 0:
        return Head() + SemiJoin(body) + Tail();
      case 3:
        return Head() + AskedRule(body) + Tail();
      case 4:
        return Head() + Replaced(body) + Tail();
      case 5:
      case 6:
        body += View();
        for (unsigned i = 1 + random_.Below(2); i > 0; --i) {
          body += random_.Chance(80) ? Condition("o") : Filter("o");
        }
        break;
      case 7:
        body += Subtree();
        break;
      case 1:
        body += Scan("o", "name");
        body += Condition("o");
        body += Scan("p", "other");
        body +=
            random_.Chance(50) ? "  p.spec.a == o.spec.a\n" : "  p.metadata.labels.app == name\n";
        break;
      case 2:
        rules_ += "helper(r) {\n" + Scan("o", "name") + Condition("o") + "}\n";
        body +=
            random_.Chance(50) ? "  helper(r)\n  name := 1\n" : "  not helper(r)\n  name := 1\n";
        break;
      default:
        body += Scan("o", "name");
        for (unsigned i = 1 + random_.Below(3); i > 0; --i) {
          body += random_.Chance(80) ? Condition("o") : Filter("o");
        }
        break;
    }
    switch (random_.Below(6)) {
      case 0:
        return Head() + "violation := [name |\n" + body + "]\n" + Tail();
      case 1:
        return Head() + "violation := n { n := count([1 |\n" + body + "]) }\n" + Tail();
      case 2:
        return Head() + "violation {\n" + body + "}\n" + Tail();
      default:
        return Head() + "violation[name] {\n" + body + "}\n" + Tail();
    }
  }

 private:
  std::string Head() {
    return std::string("package t\n") +
           (random_.Chance(30) ? "import future.keywords\n"
                               : "import future.keywords.in\nimport future.keywords.every\n");
  }
  std::string Tail() { return rules_ + std::string(kFunctions); }

  std::string Scan(std::string_view object, std::string_view name) {
    const bool cluster = random_.Chance(15);
    std::string reference = cluster ? "data.inventory.cluster" : "data.inventory.namespace";
    if (!cluster) {
      constexpr std::array<std::string_view, 5> kSpaceKeys = {"_", "_", "ns", "\"n1\"",
                                                              "r.metadata.namespace"};
      reference += "[" + std::string(random_.Pick(kSpaceKeys)) + "]";
    }
    constexpr std::array<std::string_view, 4> kVersionKeys = {"_", "\"v1\"", "gv", "_"};
    constexpr std::array<std::string_view, 5> kKindKeys = {"\"Service\"", "\"Service\"",
                                                           "\"Ingress\"", "_", "r.kind"};
    const std::string_view version = random_.Pick(kVersionKeys);
    reference += "[" + std::string(version) + "][" + std::string(random_.Pick(kKindKeys)) + "][" +
                 std::string(name) + "]";
    std::string text = fmt::format("  {} := {}\n", object, reference);
    if (version == "gv" && random_.Chance(50)) {
      text += "  regex.match(\"^v[0-9]$\", gv)\n";
    }
    return text;
  }

  std::string Key() {
    constexpr std::array<std::string_view, 9> kKeys = {
        "r.spec.a", "r.spec.b[_]",          "r.spec.c[_].k",   "r.metadata.labels.app", "\"x\"",
        "1",        "r.metadata.labels[_]", "input.wanted[_]", "lower(r.spec.a)"};
    return std::string(random_.Pick(kKeys));
  }
  static constexpr std::array<std::string_view, 7> kPaths = {
      "spec.a",     "spec.b[_]",           "spec.c[_].k",
      "spec.m.app", "metadata.labels.app", "metadata.labels[l]",
      "spec.m[_]"};
  static constexpr std::array<std::string_view, 4> kPlainPaths = {"spec.a", "spec.b", "spec.m.app",
                                                                  "metadata.labels.tier"};
  std::string Path(std::string_view object, std::span<const std::string_view> paths = kPaths) {
    const std::string_view path = random_.Pick(paths);
    return std::string(object) + "." + std::string(path);
  }
  // Gives the label that a path is taken at its value.
  std::string WithLabel(std::string condition) {
    const std::size_t at = condition.find("[l]");
    if (at == std::string::npos) {
      return condition;
    }
    const std::string label = fmt::format("l{}", next_++);
    condition.replace(at, 3, "[" + label + "]");
    return "  " + label + " := input.labels[_]\n" + condition;
  }

  // Something that an index may serve.
  std::string Condition(std::string_view o) {
    if (random_.Chance(30)) {
      return Containment(o);
    }
    constexpr std::array<std::string_view, 8> kUnary = {"flat",    "size",  "first", "number",
                                                        "kind_of", "twice", "tier",  "flat"};
    switch (random_.Below(14)) {
      case 0:
      case 1:
        return WithLabel(fmt::format("  {} == {}\n", Path(o), Key()));
      case 2:
        return WithLabel(fmt::format("  {} == {}\n", Key(), Path(o)));
      case 3: {
        const std::string_view function = random_.Pick(kUnary);
        return fmt::format("  {0}({1}) == {0}(r)\n", function, o);
      }
      case 4:
        return fmt::format("  k{0} := {1}({2})\n  k{0} == {3}\n", next_++, random_.Pick(kUnary), o,
                           Key());
      case 5:
        return WithLabel(
            fmt::format("  {} in {}\n", Path(o), random_.Chance(50) ? "input.wanted" : "r.spec.m"));
      case 6:
        return fmt::format("  s{0} := {{v | v := {1}}}\n  s{0}[{2}.spec.a]\n", next_++, Key(), o);
      case 7:
        return fmt::format("  w{0} := {1}\n  w{0} in {2}.spec.b\n", next_++, Key(), o);
      case 8:
        return fmt::format(
            "  A{0} := {{[k, v] | v := {1}.spec.m[k]}}\n  B{0} := {{[k, v] | v := r.spec.m[k]}}\n"
            "  count(A{0} - B{0}) == 0\n",
            next_++, o);
      case 9:
        return fmt::format("  object.subset({}, {}.spec.m)\n",
                           random_.Chance(50) ? "r.spec.m" : "r.metadata.labels", o);
      case 10:
        return random_.Chance(50) ? fmt::format("  same_a({}, r)\n", o)
                                  : fmt::format("  either({}, r)\n", o);
      case 11:
        return fmt::format("  same_b(r, {})\n", o);
      case 12:
        return fmt::format("  l{0} := input.labels[_]\n  label({1}, l{0}) == {2}\n", next_++, o,
                           Key());
      default:
        return fmt::format("  {0}.spec.a = a{1}\n  a{1} = {2}\n", o, next_++, Key());
    }
  }

  // What the object has is among what is known, in many words; and what the object alone decides.
  std::string Containment(std::string_view o) {
    const std::string_view map = random_.Chance(50) ? "r.spec.m" : "r.metadata.labels";
    const std::string_view list = random_.Chance(50) ? "input.wanted" : "r.spec.b";
    const unsigned n = next_++;
    switch (random_.Below(14)) {
      case 0:
        return fmt::format("  every k{0}, v{0} in {1}.spec.m {{ {2}[k{0}] == v{0} }}\n", n, o, map);
      case 1:
        return fmt::format("  every x{0} in {1}.spec.b {{ x{0} in {2} }}\n", n, o, list);
      case 2:
        return fmt::format("  every x{0} in {1}.spec.b {{ {2}[_] == x{0} }}\n", n, o, list);
      case 3:
        return fmt::format("  every k{0}, _ in {1}.spec.m {{ l{0} := {2}; l{0}[k{0}] != \"y\" }}\n",
                           n, o, map);
      case 4:
        return fmt::format("  not differs({}.spec.m, {})\n", o, map);
      case 5:
        return fmt::format("  not outside({}.spec.b, {})\n", o, list);
      case 6:
        return fmt::format("  s{0} := {{x | x := {1}[_]}}\n  not lacks({2}, s{0})\n", n, list, o);
      case 7:
        return fmt::format("  count({{k | v := {}.spec.m[k]; not {}[k] == v}}) == 0\n", o, map);
      case 8:
        return fmt::format("  count([x | x := {}.spec.b[_]; not x in {}]) == 0\n", o, list);
      case 9:
        return fmt::format(
            "  A{0} := {{[k, v] | v := {1}.spec.m[k]}}\n  B{0} := {{[k, v] | v := {2}[k]}}\n"
            "  {3}\n",
            n, o, map,
            fmt::format(
                fmt::runtime(random_.Chance(50) ? "A{0} & B{0} == A{0}" : "A{0} == B{0} & A{0}"),
                n));
      case 10:
        return fmt::format("  {}\n", Path(o, kPlainPaths));
      case 11:
        return fmt::format("  not {}\n", Path(o, kPlainPaths));
      case 12:
        return fmt::format("  m{0} := {1}.spec.m\n  not differs(m{0}, {2})\n", n, o, map);
      default:
        return fmt::format("  every x{0} in {1}.spec.c {{ x{0}.k in {2} }}\n", n, o, list);
    }
  }

  // Something that none serves.
  std::string Filter(std::string_view o) {
    switch (random_.Below(5)) {
      case 0:
        return fmt::format("  {}.spec.a != {}\n", o, Key());
      case 1:
        return fmt::format("  not identical({}, r)\n", o);
      case 2:
        return fmt::format("  count({}.spec.b) > 1\n", o);
      case 3:
        return fmt::format("  twice({}) != \"z\"\n", o);
      default:
        return fmt::format("  not {}.spec.m.app\n", o);
    }
  }

  // Objects that a rule or a name collects, one after another.
  std::string View() {
    const std::string scan = Scan("x", "_");
    switch (random_.Below(6)) {
      case 0:
        rules_ += "things[x] {\n" + scan + "}\n";
        return "  r2 := r\n  o := things[_]\n  name := o.metadata.name\n";
      case 1:
        rules_ += "things = {x |\n" + Unbound(scan) + "}\n";
        return "  o := things[_]\n  name := o.metadata.name\n";
      case 2:
        rules_ += "things = [x |\n" + Unbound(scan) + "]\n";
        return "  o := things[i]\n  name := [i, o.metadata.name]\n";
      case 3:
        rules_ += "things[[n, x]] {\n" + Unbound(Scan("x", "n")) + "}\n";
        return "  things[[name, o]]\n";
      case 4:
        return "  things := [x |\n" + scan + "]\n  o := things[_]\n  name := o.metadata.name\n";
      default:
        return "  things := {x |\n" + scan + "}\n  o := things[_]\n  name := o.metadata.name\n";
    }
  }

  // Rules do not know what is reviewed.
  static std::string Unbound(std::string scan) {
    for (const auto& [from, to] :
         {std::pair("r.metadata.namespace", "input.object.metadata.namespace"),
          std::pair("r.kind", "input.object.kind")}) {
      for (std::size_t at = scan.find(from); at != std::string::npos;
           at = scan.find(from, at + 40)) {
        scan.replace(at, std::string_view(from).size(), to);
      }
    }
    return scan;
  }

  // What lies above the objects, under a name or given to a function.
  std::string Subtree() {
    constexpr std::array<std::string_view, 3> kSpaces2 = {"_", "\"n1\"", "r.metadata.namespace"};
    const std::string space(random_.Pick(kSpaces2));
    switch (random_.Below(8)) {
      case 0:
        return "  services := data.inventory.namespace[" + space +
               "].v1.Service\n  o := services[name]\n" + Condition("o");
      case 1:
        return "  services := data.inventory.namespace[" + space +
               "].v1.Service\n  services[name].spec.a == " + Key() + "\n";
      case 2:
        return "  inv := data.inventory\n  o := inv.namespace[" + space + "][_].Service[name]\n" +
               Condition("o");
      case 3:
        rules_ += "pick(tree, r) { tree[_].spec.a == r.spec.a }\n";
        return "  pick(data.inventory.namespace[" + space + "].v1.Service, r)\n  name := 1\n";
      case 4:
        rules_ += "named(tree, k) = n { n := {x | tree[_][_].Service[x].spec.a == k} }\n";
        return "  name := named(data.inventory.namespace, r.spec.a)\n";
      case 5:
        rules_ += "named(tree, k) = n { n := [x | tree[x].spec.b[_] == k] }\n";
        return "  ns := \"n2\"\n  k := " + Key() +
               "\n  name := named(data.inventory.namespace[ns].v1.Service, k)\n";
      case 6:
        return "  " + std::string(random_.Chance(50) ? "" : "name2 := 1\n  ") +
               "data.inventory.namespace[" + (space == "_" ? "r.metadata.namespace" : space) +
               "].v1.Ingress[_]\n  name := 1\n";
      default:
        rules_ +=
            "pick(tree, r) { o := tree[_]; o.spec.m == r.spec.m }\npick(tree, r) { "
            "tree[r.metadata.name].spec.b }\n";
        return "  not pick(data.inventory.namespace[" +
               (space == "_" ? std::string("r.metadata.namespace") : space) +
               "].v1.Service, r)\n  name := 1\n";
    }
  }

  // A rule that collects values, asked for one.
  std::string AskedRule(const std::string& body) {
    constexpr std::array<std::string_view, 9> kTests = {"taken[key]",
                                                        "not taken[key]",
                                                        "key in taken",
                                                        "not key in taken",
                                                        "count({key} - taken) == 0",
                                                        "count({key} - taken) > 0",
                                                        "taken[_] == key",
                                                        "count(taken & {key}) > 0",
                                                        "x := taken[_]; x == key"};
    std::string scan = Unbound(Scan("o", "_"));
    std::string path = Path("o");
    if (const std::size_t at = path.find("[l]"); at != std::string::npos) {
      path.replace(at, 3, "[input.labels[0]]");
    }
    scan += "  v := " + path + "\n";
    switch (random_.Below(3)) {
      case 0:
        rules_ += "taken[v] {\n" + scan + "}\n";
        break;
      case 1:
        rules_ += "taken = {v |\n" + scan + "}\n";
        break;
      default:
        rules_ += "taken = [v |\n" + scan + "]\n";
        break;
    }
    return "violation[key] {\n" + body + "  key := " + Key() + "\n  " +
           std::string(random_.Pick(kTests)) + "\n}\n";
  }

  // Functions, rules, the input or the inventory replaced for a while.
  std::string Replaced(const std::string& body) {
    constexpr std::array<std::string_view, 7> kWiths = {
        "data.t.same_a as always",
        "data.t.flat as first",
        "lower as upper",
        "input.wanted as [1, \"x\"]",
        "data.t.limits as {\"x\"}",
        "data.inventory as {\"namespace\": {\"n1\": {\"v1\": {\"Service\": {\"a\": "
        "input.object}}}}}",
        "data.inventory.namespace.n1 as {}"};
    std::string inner = "inner[name] {\n" + body + Scan("o", "name");
    switch (random_.Below(4)) {
      case 0:
        inner += "  same_a(o, r)\n";
        break;
      case 1:
        inner += "  flat(o) == flat(r)\n";
        break;
      case 2:
        inner += "  limits[o.spec.a]\n";
        break;
      default:
        inner += Condition("o");
        break;
    }
    rules_ += "always(_, _) = true\nlimits = {1, 2}\n";
    return inner + "}\nviolation[name] { inner[name] with " + std::string(random_.Pick(kWiths)) +
           " }\n" + (random_.Chance(50) ? "violation[[name]] { inner[name] }\n" : "");
  }

  // A set of the inventory that is asked for one member.
  std::string SemiJoin(const std::string& body) {
    constexpr std::array<std::string_view, 9> kTests = {"taken[key]",
                                                        "key in taken",
                                                        "not key in taken",
                                                        "count({key} - taken) == 0",
                                                        "count({key} - taken) > 0",
                                                        "taken[_] == key",
                                                        "count(taken & {key}) > 0",
                                                        "count({key} & taken) == 0",
                                                        "not taken[key]"};
    std::string text = "violation[key] {\n" + body + "  key := " + Key() + "\n";
    if (random_.Chance(50)) {
      text += "  first_ones := [o |\n" + Scan("o", "_") + "    not identical(o, r)]\n";
      text += "  second_ones := [o |\n" + Scan("o", "_") + "]\n";
      text += "  all_ones := array.concat(first_ones, second_ones)\n";
      text += WithLabel("  taken := {v | o := all_ones[_]; v := " + Path("o") + "}\n");
    } else if (random_.Chance(70)) {
      text += WithLabel("  taken := {v |\n" + Scan("o", "_") + "    v := " + Path("o") + "}\n");
    } else {
      text += WithLabel("  taken := [v |\n" + Scan("o", "_") + "    v := " + Path("o") + "]\n");
    }
    return text + "  " + std::string(random_.Pick(kTests)) + "\n}\n";
  }

  Random& random_;
  unsigned next_ = 0;
  std::string rules_;
};

struct Case {
  std::uint64_t seed = 0;
  std::string policy;
  std::string input;
  std::string inventory;               // As a document.
  std::array<std::string, 3> answers;  // By indexes, by scans, from the document.
};

// The inventory in the store, and beside it what it holds.
class World {
 public:
  World() : store_(std::make_unique<index::TestInventory>(Path(), false, programs_)) {}

  void Change(Random& random) {
    Shape shape(random);
    for (unsigned i = 1 + random.Below(6); i > 0; --i) {
      const std::string_view kind = random.Chance(70) ? "Service" : "Ingress";
      const std::string_view version = random.Chance(80) ? "v1" : "apps/v1";
      const std::string_view name = random.Pick(kNames);
      const std::string_view space = random.Chance(85) ? random.Pick(kSpaces) : "";
      const auto place = std::tuple(std::string(space), std::string(version), std::string(kind),
                                    std::string(name));
      if (random.Chance(25)) {
        store_->Delete({.scope = space.empty() ? store::Scope::kCluster : store::Scope::kNamespaced,
                        .name_space = std::string(space),
                        .group_version = std::string(version),
                        .kind = std::string(kind),
                        .name = std::string(name)});
        if (objects_.contains(place)) {
          objects_[place].clear();
        }
        continue;
      }
      const std::string object =
          fmt::format(R"({{"apiVersion":"{}","kind":"{}","metadata":{},"spec":{}}})", version, kind,
                      shape.Metadata(name, space), shape.Spec());
      store_->Put(object);
      objects_[place] = object;
    }
    if (random.Chance(1)) {
      store_->Reopen();
    }
  }

  // Parents stay when their last object goes.
  [[nodiscard]] std::string Document() const {
    std::map<std::string, std::map<std::string, std::map<std::string, std::string>>> spaces;
    std::map<std::string, std::map<std::string, std::string>> cluster;
    const auto add = [](std::string* members, const std::string& name, const std::string& object) {
      if (!object.empty()) {
        *members += (members->empty() ? "" : ",") + Quoted(name) + ":" + object;
      }
    };
    for (const auto& [place, object] : objects_) {
      const auto& [space, version, kind, name] = place;
      add(space.empty() ? &cluster[version][kind] : &spaces[space][version][kind], name, object);
    }
    const auto kinds = [](const auto& versions) {
      std::vector<std::string> parts;
      for (const auto& [version, by_kind] : versions) {
        std::vector<std::string> each;
        for (const auto& [kind, members] : by_kind) {
          each.push_back(Quoted(kind) + ":{" + members + "}");
        }
        parts.push_back(fmt::format("{}:{{{}}}", Quoted(version), fmt::join(each, ",")));
      }
      return fmt::format("{{{}}}", fmt::join(parts, ","));
    };
    std::vector<std::string> scopes;
    if (!cluster.empty()) {
      scopes.push_back("\"cluster\":" + kinds(cluster));
    }
    if (!spaces.empty()) {
      std::vector<std::string> parts;
      for (const auto& [space, versions] : spaces) {
        parts.push_back(Quoted(space) + ":" + kinds(versions));
      }
      scopes.push_back(fmt::format("\"namespace\":{{{}}}", fmt::join(parts, ",")));
    }
    return fmt::format("{{{}}}", fmt::join(scopes, ","));
  }

  [[nodiscard]] index::TestInventory& store() { return *store_; }

 private:
  [[nodiscard]] std::filesystem::path Path() const { return folder_.path() / "store"; }

  index::TemporaryFolder folder_;
  std::shared_ptr<const rego::RegoKeyPrograms> programs_ =
      std::make_shared<rego::RegoKeyPrograms>();
  std::unique_ptr<index::TestInventory> store_;
  // By namespace, group version, kind, name; "": gone.
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::string> objects_;
};

class Campaign {
 public:
  Campaign(const Options& options, std::unique_ptr<Peer> peer)
      : options_(options), peer_(std::move(peer)), catalog_(rego::CreateCatalog()) {}

  Result<int> Run() {
    for (std::uint64_t done = 0; done < options_.count; ++done) {
      Random random(options_.seed + done);
      TRY(One(options_.seed + done, random));
      if (cases_.size() == kBatch || done + 1 == options_.count) {
        TRY(Compare());
        const std::string problems = world_.store().Problems();
        if (!problems.empty()) {
          ++differing_;
          std::printf("inventory check after seed %llu: %s\n",
                      static_cast<unsigned long long>(options_.seed + done), problems.c_str());
        }
      }
    }
    std::printf(
        "%llu joins from seed %llu: %zu differ; %zu with a solution, %zu in error; %zu by look-up "
        "alone, %zu with a scan, %zu rejected\n",
        static_cast<unsigned long long>(options_.count),
        static_cast<unsigned long long>(options_.seed), differing_, solved_, failed_, looked_up_,
        scanned_, rejected_);
    return differing_ == 0 ? 0 : 1;
  }

 private:
  static constexpr std::size_t kBatch = 100;

  Result<void> One(std::uint64_t seed, Random& random) {
    world_.Change(random);
    Case made;
    made.policy = Policy(random).Write();
    Shape shape(random);
    const auto object = [&] {
      return fmt::format(R"({{"kind":"Service","metadata":{},"spec":{}}})",
                         shape.Metadata(random.Pick(kNames), random.Pick(kSpaces)), shape.Spec());
    };
    made.input =
        fmt::format(R"({{"object":{},"objects":[{},{}],"labels":["app","x"],"wanted":{}}})",
                    object(), object(), object(), shape.List());
    made.inventory = world_.Document();
    const auto plan = Compile(made.policy);
    if (!plan) {
      ++rejected_;  // Its types do not fit.
      return {};
    }
    made.seed = seed;
    world_.store().WantIndexes((*plan)->wanted_indexes());
    const auto view = world_.store()->View();
    rego::EvaluationStatistics statistics;
    made.answers[0] = Evaluate(**plan, made, view.get(), rego::IndexUse::kUse, &statistics);
    made.answers[1] = Evaluate(**plan, made, view.get(), rego::IndexUse::kIgnore, nullptr);
    made.answers[2] = Evaluate(**plan, made, nullptr, rego::IndexUse::kUse, nullptr);
    (statistics.scans == 0 ? looked_up_ : scanned_) += 1;
    cases_.push_back(std::move(made));
    return {};
  }

  Result<std::unique_ptr<const rego::Plan>> Compile(const std::string& text) {
    auto module = rego::ParseModule("t.rego", text, rego::Version::kV0);
    if (!module) {
      return Fail(ErrorCode::kInvalidArgument, rego::ToString(module.error()));
    }
    std::vector<std::unique_ptr<rego::Module>> modules;
    modules.push_back(std::move(*module));
    auto policy = rego::Compile(std::move(modules), {.catalog = catalog_.get()});
    if (!policy) {
      return Fail(ErrorCode::kInvalidArgument, rego::ToString(policy.error()));
    }
    const std::string path[] = {"t", "violation"};
    return rego::MakePlan(std::move(*policy), path);
  }

  static std::string Evaluate(const rego::Plan& plan, const Case& made, index::InventoryView* view,
                              rego::IndexUse use, rego::EvaluationStatistics* statistics) {
    document::Arena arena;
    SystemClock clock;
    rego::EvaluationRequest request;
    request.input = *document::ParseJson(made.input, arena);
    request.data = view != nullptr
                       ? Value::Object({})
                       : *document::ParseJson(
                             arena.CopyString("{\"inventory\":" + made.inventory + "}"), arena);
    request.inventory = view;
    request.arena = &arena;
    request.clock = &clock;
    request.index_use = use;
    request.conflict_texts = rego::ConflictTexts::kCurrent;
    request.statistics = statistics;
    const auto outcome = plan.Evaluate(request);
    if (!outcome) {
      return "engine: " + outcome.error().ToString();
    }
    if (!*outcome) {
      return "error: " + outcome->error().code + ": " + outcome->error().message;
    }
    return (*outcome)->is_undefined() ? "undefined" : document::ToRego(**outcome);
  }

  Result<void> Compare() {
    std::vector<std::string> expected(cases_.size());
    if (peer_ != nullptr) {
      std::vector<std::string> requests;
      for (const Case& each : cases_) {
        std::string policy;
        document::AppendJsonString(each.policy, document::JsonStyle::kCompact, &policy);
        requests.push_back(fmt::format(
            R"({{"id":0,"modules":{{"t.rego":{}}},"version":"v0","query":"x = data.t.violation","input":{},"data":{{"inventory":{}}}}})",
            policy, each.input, each.inventory));
      }
      const std::vector<std::string> replies = TRY(peer_->Ask(requests));
      for (std::size_t i = 0; i < replies.size(); ++i) {
        expected[i] = TRY(TextOf(replies[i]));
      }
    }
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      const Case& each = cases_[i];
      const std::string& truth = peer_ == nullptr ? each.answers[2] : expected[i];
      solved_ += truth != "undefined" && truth != "set()" && truth != "[]" ? 1 : 0;
      failed_ += truth.starts_with("error") ? 1 : 0;
      const bool agree =
          each.answers[0] == truth && each.answers[1] == truth && each.answers[2] == truth;
      if (!agree || options_.show) {
        differing_ += agree ? 0 : 1;
        std::printf(
            "%s seed %llu\n%sinput: %s\ninventory: %s\nby indexes: %s\nby scans:   %s\n"
            "document:   %s\nOPA:        %s\n\n",
            agree ? "agree" : "DIFFER", static_cast<unsigned long long>(each.seed),
            each.policy.c_str(), each.input.c_str(), each.inventory.c_str(),
            each.answers[0].c_str(), each.answers[1].c_str(), each.answers[2].c_str(),
            expected[i].c_str());
      }
    }
    cases_.clear();
    return {};
  }

  static Result<std::string> TextOf(const std::string& reply) {
    document::Arena arena;
    const Value answer = TRY(document::ParseJson(reply, arena));
    const Value errors = answer.Find("errors");
    if (errors.size() > 0) {
      const Value error = errors.ItemAt(0);
      return fmt::format("error: {}: {}", error.GetString({"code"}), error.GetString({"message"}));
    }
    const Value solutions = answer.Find("solutions");
    return solutions.size() == 0 ? "undefined" : std::string(solutions.ItemAt(0).GetString({"x"}));
  }

  const Options& options_;
  std::unique_ptr<Peer> peer_;
  std::unique_ptr<const builtins::Catalog> catalog_;
  World world_;
  std::vector<Case> cases_;
  std::size_t differing_ = 0;
  std::size_t solved_ = 0;
  std::size_t failed_ = 0;
  std::size_t looked_up_ = 0;
  std::size_t scanned_ = 0;
  std::size_t rejected_ = 0;
};

Result<int> Run(const Options& options) {
  std::unique_ptr<Peer> peer;
  if (!options.peer.empty()) {
    peer = TRY(Peer::Start({options.peer, "answer"}));
  }
  return Campaign(options, std::move(peer)).Run();
}

}  // namespace
}  // namespace portcullis::differential

int main(int argc, char** argv) {
  portcullis::differential::Options options;
  CLI::App app("Random joins over a changing inventory, answered four ways.");
  app.add_option("--seed", options.seed, "The first seed")->capture_default_str();
  app.add_option("--count", options.count, "How many")->capture_default_str();
  app.add_option("--peer", options.peer, "tests/opa_peer, built; without it OPA is not asked");
  app.add_flag("--show", options.show, "Print every case");
  CLI11_PARSE(app, argc, argv);
  const auto code = portcullis::differential::Run(options);
  if (!code) {
    std::fprintf(stderr, "%s\n", code.error().ToString().c_str());
    return 2;
  }
  return *code;
}
