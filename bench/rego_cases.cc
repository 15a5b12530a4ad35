#include "bench/rego_cases.h"

#include <array>
#include <fstream>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "document/json.h"
#include "document/yaml.h"

namespace portcullis::bench {
namespace {

namespace fs = std::filesystem;
using document::Value;

struct Sample {
  std::string_view folder;
  std::string_view sample;
  std::string_view compliant;
  std::string_view violating;
};

constexpr std::array kSamples = {
    Sample{"general/allowedrepos", "repo-must-be-openpolicyagent", "example_allowed",
           "example_disallowed_both"},
    Sample{"general/containerlimits", "container-must-have-limits", "example_allowed",
           "example_disallowed"},
    Sample{"general/requiredlabels", "all-must-have-owner", "example_allowed",
           "example_disallowed"},
    Sample{"general/requiredprobes", "must-have-probes", "example_allowed", "example_disallowed"},
    Sample{"general/disallowedtags", "container-image-must-not-have-latest-tag", "example_allowed",
           "example_disallowed_tag"},
    Sample{"pod-security-policy/privileged-containers", "psp-privileged-container",
           "example_allowed", "example_disallowed"},
    Sample{"pod-security-policy/capabilities", "psp-capabilities-restricted", "example_allowed",
           "example_disallowed"},
    Sample{"pod-security-policy/host-filesystem", "psp-host-filesystem", "example_allowed",
           "example_disallowed"},
    Sample{"pod-security-policy/seccomp", "psp-seccomp", "example_allowed", "example_disallowed"},
    Sample{"pod-security-policy/volumes", "psp-volume-types", "example_allowed",
           "example_disallowed"},
};

Result<Value> ReadYaml(const fs::path& path, document::Arena& arena) {
  std::ifstream file(path);
  if (!file) {
    return Fail(ErrorCode::kNotFound, "cannot read " + path.string());
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto documents = TRY(document::ParseYaml(arena.CopyString(text), arena));
  if (documents.empty()) {
    return Fail(ErrorCode::kInvalidArgument, path.string() + " is empty");
  }
  return documents.front().value;
}

std::string PackageOf(std::string_view rego) {
  constexpr std::string_view kPackage = "package ";
  const std::size_t begin = rego.find(kPackage) + kPackage.size();
  return std::string(rego.substr(begin, rego.find_first_of(" \n\r", begin) - begin));
}

Result<RegoCase> ReadTemplate(const fs::path& path, document::Arena& arena) {
  const Value body = TRY(ReadYaml(path, arena));
  const Value target = body.Get({"spec", "targets"}).ItemAt(0);
  std::string_view rego = target.GetString({"rego"});
  Value libraries = target.Find("libs");
  const Value code = target.Find("code");
  for (std::uint32_t i = 0; i < code.size(); ++i) {
    if (code.ItemAt(i).GetString({"engine"}) == "Rego") {
      rego = code.ItemAt(i).GetString({"source", "rego"});
      libraries = code.ItemAt(i).Get({"source", "libs"});
    }
  }
  if (rego.empty()) {
    return Fail(ErrorCode::kInvalidArgument, path.string() + " has no Rego");
  }
  RegoCase made;
  made.name = body.GetString({"spec", "crd", "spec", "names", "kind"});
  made.is_v0 = true;
  made.path = PackageOf(rego) + ".violation";
  made.modules.emplace_back("template.rego", std::string(rego));
  for (std::uint32_t i = 0; i < libraries.size(); ++i) {
    made.modules.emplace_back(fmt::format("lib{}.rego", i),
                              std::string(libraries.ItemAt(i).string()));
  }
  return made;
}

// What Gatekeeper hands to a template: the reviewed object and the constraint's parameters.
std::string InputOf(const Value& object, const Value& constraint) {
  const Value parameters = constraint.Get({"spec", "parameters"});
  return fmt::format(
      R"({{"review":{{"kind":{{"group":"","version":"v1","kind":"{}"}},"operation":"CREATE","name":"{}","namespace":"default","userInfo":{{"username":"kubernetes-admin","groups":["system:authenticated"]}},"object":{}}},"parameters":{}}})",
      object.GetString({"kind"}), object.GetString({"metadata", "name"}), document::ToJson(object),
      parameters.is_defined() ? document::ToJson(parameters) : "{}");
}

std::string Join(std::size_t count, std::string_view separator, const auto& item) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text.append(i == 0 ? "" : separator).append(item(i));
  }
  return text;
}

RegoCase Micro(std::string name, std::string rego, std::string input, std::string data = "{}") {
  RegoCase made;
  made.name = std::move(name);
  made.modules.emplace_back("bench.rego", "package bench\n" + std::move(rego));
  made.path = "bench.p";
  made.input = std::move(input);
  made.data = std::move(data);
  return made;
}

}  // namespace

Result<std::vector<RegoCase>> LibraryCases(const fs::path& library) {
  document::Arena arena;
  std::vector<RegoCase> cases;
  for (const Sample& sample : kSamples) {
    const fs::path folder = library / sample.folder;
    const RegoCase base = TRY(ReadTemplate(folder / "template.yaml", arena));
    const fs::path samples = folder / "samples" / sample.sample;
    const Value constraint = TRY(ReadYaml(samples / "constraint.yaml", arena));
    for (const bool violating : {false, true}) {
      const std::string file =
          std::string(violating ? sample.violating : sample.compliant) + ".yaml";
      const Value object = TRY(ReadYaml(samples / file, arena));
      RegoCase& made = cases.emplace_back(base);
      made.name += violating ? " violating" : " compliant";
      made.input = InputOf(object, constraint);
    }
  }
  return cases;
}

Result<std::vector<RegoCase>> AllTemplates(const fs::path& library) {
  document::Arena arena;
  std::vector<RegoCase> cases;
  for (const auto& entry : fs::recursive_directory_iterator(library)) {
    if (entry.path().filename() == "template.yaml") {
      auto made = TRY(ReadTemplate(entry.path(), arena));
      cases.push_back(std::move(made));
    }
  }
  return cases;
}

std::vector<RegoCase> MicroCases() {
  const auto number = [](std::size_t i) { return std::to_string(i); };
  const auto pair = [](std::size_t i) { return fmt::format(R"({{"k":"k{}","v":{}}})", i % 50, i); };
  std::vector<RegoCase> cases;
  cases.push_back(Micro("rule index, 1000 rules",
                        Join(1000, "\n",
                             [](std::size_t i) {
                               return fmt::format(
                                   "p contains {0} if {{ input.method == \"m{1}\"; input.path == "
                                   "\"/p{0}\" }}",
                                   i, i % 10);
                             }),
                        R"({"method":"m7","path":"/p777"})"));
  cases.push_back(
      Micro("function argument index, 100 definitions",
            Join(100, "\n",
                 [](std::size_t i) { return fmt::format("f(x) := {0} if x == \"a{0}\"", i); }) +
                "\np := [y | some x in input.xs; y := f(x)]",
            "{\"xs\":[" +
                Join(20, ",", [](std::size_t i) { return fmt::format("\"a{}\"", i * 5); }) + "]}"));
  cases.push_back(Micro("array iteration, last of 1000", "p if input.xs[_] == 999",
                        "{\"xs\":[" + Join(1000, ",", number) + "]}"));
  cases.push_back(Micro(
      "set and object iteration, 1000", "p := count({k | some k, v in input.o; v % 3 == 0})",
      "{\"o\":{" + Join(1000, ",", [](std::size_t i) { return fmt::format("\"k{0}\":{0}", i); }) +
          "}}"));
  cases.push_back(Micro("comprehension index, group 1000 by key",
                        "p[k] := vs if { some x in input.xs; k := x.k; vs := [y.v | some y in "
                        "input.xs; y.k == k] }",
                        "{\"xs\":[" + Join(1000, ",", pair) + "]}"));
  cases.push_back(Micro("big comprehension, 10000 of two arrays",
                        "p := count([1 | some x in input.xs; some y in input.xs; x < y])",
                        "{\"xs\":[" + Join(100, ",", number) + "]}"));
  cases.push_back(Micro("virtual documents, 100 x 10",
                        "p := count({x | some i; q[i].a == input.a; x := q[i].b})\n"
                        "q contains {\"a\": x.k, \"b\": x.v} if some x in data.xs",
                        R"({"a":"k3"})", "{\"xs\":[" + Join(1000, ",", pair) + "]}"));
  cases.push_back(Micro("string building, 500 parts",
                        "p := concat(\",\", [sprintf(\"%s-%d\", [x.k, x.v]) | some x in "
                        "input.xs])",
                        "{\"xs\":[" + Join(500, ",", pair) + "]}"));
  cases.push_back(Micro("template strings, 500",
                        "p := count({$\"{x.k}/{x.v}\" | some x in input.xs})",
                        "{\"xs\":[" + Join(500, ",", pair) + "]}"));
  cases.push_back(
      Micro("regex, 300 strings",
            R"(p := count([x | some x in input.xs; regex.match(`^h[0-9]+\.(a|b)`, x)]))",
            "{\"xs\":[" + Join(300, ",", [](std::size_t i) {
              return fmt::format("\"h{}.{}.example.com\"", i, "abcd"[i % 4]);
            }) + "]}"));
  cases.push_back(
      Micro("glob, 300 strings",
            R"(p := count([x | some x in input.xs; glob.match("*.example.com", ["."], x)]))",
            "{\"xs\":[" + Join(300, ",", [](std::size_t i) {
              return fmt::format("\"h{}.example.{}\"", i, i % 2 == 0 ? "com" : "org");
            }) + "]}"));
  cases.push_back(Micro("JSON patch, 50 operations",
                        "p := count(json.patch(input.o, [op | some i in numbers.range(0, 49); op "
                        ":= {\"op\": \"replace\", \"path\": sprintf(\"/k%d/v\", [i]), \"value\": "
                        "0}]))",
                        "{\"o\":{" + Join(100, ",", [](std::size_t i) {
                          return fmt::format("\"k{0}\":{{\"v\":{0}}}", i);
                        }) + "}}"));
  cases.push_back(Micro("walk, 1000 leaves",
                        "p := count([v | walk(input.o, [_, v]); is_number(v)])",
                        "{\"o\":[" + Join(500, ",", pair) + "]}"));
  cases.push_back(Micro("arithmetic, sum of squares of 1000",
                        "p := sum([y | some x in input.xs; y := x * x + 1])",
                        "{\"xs\":[" + Join(1000, ",", number) + "]}"));
  cases.push_back(Micro("membership in a base document, 1000",
                        "p := count([x | some x in input.xs; x in data.allowed])",
                        "{\"xs\":[" + Join(20, ",", number) + "]}",
                        "{\"allowed\":[" + Join(1000, ",", number) + "]}"));
  cases.push_back(Micro("set algebra, 500",
                        "p := count(a - b) + count(a | b) + count(a & b)\n"
                        "a := {x | some x in input.xs}\nb := {y | some x in input.xs; y := x * 2}",
                        "{\"xs\":[" + Join(500, ",", number) + "]}"));
  cases.push_back(Micro("functions of objects, 200 calls",
                        "p contains x.v if { some x in input.xs; ok(x) }\n"
                        "ok(x) if { x.k == \"k1\" }\nok(x) if { x.v > 150; not bad(x) }\n"
                        "bad(x) if endswith(x.k, \"3\")",
                        "{\"xs\":[" + Join(200, ",", pair) + "]}"));
  cases.push_back(Micro("every and object.get, 200",
                        "p if every x in input.xs { object.get(x, [\"k\"], \"\") != \"zz\" }",
                        "{\"xs\":[" + Join(200, ",", pair) + "]}"));
  return cases;
}

}  // namespace portcullis::bench
