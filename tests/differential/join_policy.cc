#include "tests/differential/join_policy.h"

#include <span>
#include <utility>

#include <fmt/format.h>

namespace portcullis::differential {
namespace {

constexpr std::array<std::string_view, 12> kScalars = {"\"x\"", "\"y\"", "\"web\"", "1",
                                                       "2",     "1.5",   "true",    "false",
                                                       "null",  "\"1\"", "\"\"",    "\"db\""};
constexpr std::array<std::string_view, 3> kLabels = {"app", "tier", "x"};

std::string Scalar(Random& random) {
  return std::string(random.Pick(kScalars));
}

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
    switch (random_.Below(15)) {
      case 14:
        return fmt::format("  l{0} := {1}\n  object.get({2}.spec.m, l{0}, {3}) == {4}\n", next_++,
                           random_.Chance(70) ? "input.labels[_]" : "input.wanted", o,
                           Scalar(random_), Key());
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

}  // namespace

std::string Quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::string Shape::Metadata(std::string_view name, std::string_view name_space) {
  std::string text = R"({"name":)" + Quoted(name);
  if (!name_space.empty()) {
    text += R"(,"namespace":)" + Quoted(name_space);
  }
  if (random_.Chance(70)) {
    text += R"(,"labels":)" + Map();
  }
  return text + "}";
}

std::string Shape::Spec() {
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

std::string Shape::Mostly(std::string value) {
  const unsigned other = random_.Below(20);
  return other == 0 ? Scalar(random_) : other == 1 ? Map() : other == 2 ? List() : value;
}

std::string Shape::Map() {
  std::string text = "{";
  for (const std::string_view label : kLabels) {
    if (random_.Chance(50)) {
      text += (text.size() > 1 ? "," : "") + Quoted(label) + ":" + Scalar(random_);
    }
  }
  return text + "}";
}

std::string Shape::List() {
  std::vector<std::string> items(random_.Below(4));
  for (std::string& item : items) {
    item = Scalar(random_);
  }
  return fmt::format("[{}]", fmt::join(items, ","));
}

std::vector<std::string> Shape::Pairs() {
  std::vector<std::string> pairs(random_.Below(3));
  for (std::string& pair : pairs) {
    pair = R"({"k":)" + Scalar(random_) + R"(,"v":)" + Scalar(random_) + "}";
  }
  return pairs;
}

std::string JoinPolicy(Random& random) {
  return Policy(random).Write();
}

}  // namespace portcullis::differential
