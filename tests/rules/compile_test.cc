#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "document/arena.h"
#include "document/yaml.h"
#include "rules/rego/catalog.h"
#include "tests/rules/frontend_support.h"

namespace portcullis::rego {
namespace {

using testing::CompileText;

std::string V0(const std::string& rules) {
  return CompileText({.modules = {"package p\n" + rules}, .version = Version::kV0});
}
std::string V1(const std::string& rules) {
  return CompileText({.modules = {"package p\n" + rules}});
}

TEST(Compile, ResolvesImportsAndNamesOfThePackage) {
  EXPECT_EQ(V0("import data.lib.f\nimport input.a as b\nq = 1\nr { f(q); b.c }"),
            "1 error occurred: test-0.rego:5: rego_type_error: undefined function data.lib.f");
  EXPECT_EQ(V0("import input.a as b\nq = 1\nr { b.c = q }"),
            "q = 1 { true }\nr = true { input.a.c = data.p.q }\n");
}

TEST(Compile, GivesLocalsNamesOfTheirOwn) {
  EXPECT_EQ(
      V1("r if { x := input.a; some y in x; y == 1 }"),
      "r = true { __local0__ = input.a; __local3__ = __local0__[__local2__]; __local3__ = 1 }\n");
}

TEST(Compile, HoistsCallsAndReferences) {
  EXPECT_EQ(V1("r := x if { x := count(input.a) + 1 }"),
            "r = __local0__ { __local3__ = input.a; count(__local3__, __local1__); "
            "plus(__local1__, 1, __local2__); "
            "__local0__ = __local2__ }\n");
}

TEST(Compile, OrdersBodiesSoThatVariablesAreBound) {
  EXPECT_EQ(V0("r { not x; x = input.a }"), "r = true { x = input.a; not x }\n");
  EXPECT_EQ(V0("r { not x }"),
            "1 error occurred: test-0.rego:2: rego_unsafe_var_error: var x is unsafe");
  EXPECT_EQ(V0("r[y] { true }"),
            "1 error occurred: test-0.rego:2: rego_unsafe_var_error: var y is unsafe");
}

TEST(Compile, RefusesWhatLocalsMayNotDo) {
  EXPECT_EQ(V1("r if { x := 1; x := 2 }"),
            "1 error occurred: test-0.rego:2: rego_compile_error: var x assigned above");
  EXPECT_EQ(V1("r if { some x; true }"),
            "1 error occurred: test-0.rego:2: rego_compile_error: declared var x unused");
  EXPECT_EQ(V1("r if { input := 1 }"),
            "1 error occurred: test-0.rego:2: rego_compile_error: variables must not shadow input "
            "(use a different "
            "variable name)");
}

TEST(Compile, FindsConflictsOfRules) {
  EXPECT_EQ(V0("r = 1\nr(x) = 1"),
            "1 error occurred: test-0.rego:2: rego_type_error: conflicting rules data.p.r found");
  EXPECT_EQ(
      V0("default r = 1\ndefault r = 2"),
      "1 error occurred: test-0.rego:1: rego_type_error: multiple default rules data.p.r found at "
      "test-0.rego:2, test-0.rego:3");
  EXPECT_EQ(V1("a.b := 1\na.b.c := 2"),
            "1 error occurred: test-0.rego:2: rego_type_error: rule data.p.a.b conflicts with:\n"
            "  rule data.p.a.b.c at test-0.rego:3");
}

TEST(Compile, FindsRecursion) {
  EXPECT_EQ(V0("a { b }\nb { a }"),
            "2 errors occurred:\n"
            "test-0.rego:2: rego_recursion_error: rule data.p.a is recursive: data.p.a -> data.p.b "
            "-> data.p.a\n"
            "test-0.rego:3: rego_recursion_error: rule data.p.b is recursive: data.p.b -> data.p.a "
            "-> data.p.b");
}

TEST(Compile, FindsErrorsOfTypes) {
  EXPECT_EQ(V0("r { foo(1) }"),
            "1 error occurred: test-0.rego:2: rego_type_error: undefined function foo");
  EXPECT_EQ(V0("r { 5 + \"a\" }"),
            "1 error occurred: test-0.rego:2: rego_type_error: plus: invalid argument(s)\n"
            "\thave: (number, string)\n\twant: (x: number, y: number, z: number)");
  EXPECT_EQ(
      V0("r { {\"a\": 1}.b }"),
      "1 error occurred: test-0.rego:2: rego_type_error: undefined ref: {\"a\": 1}.b\n"
      "\t{\"a\": 1}.b\n\t         ^\n\t         have: \"b\"\n\t         want (one of): [\"a\"]");
  EXPECT_EQ(V0("r { 1 = \"a\" }"),
            "1 error occurred: test-0.rego:2: rego_type_error: match error\n\tleft  : "
            "number\n\tright : string");
  EXPECT_EQ(V1("r if any([true])"),
            "1 error occurred: test-0.rego:2: rego_type_error: deprecated built-in function calls "
            "in expression: any");
}

TEST(Compile, StopsAtTenErrors) {
  std::string rules;
  for (int i = 0; i < 12; ++i) {
    rules += "r" + std::to_string(i) + " { x" + std::to_string(i) + " }\n";
  }
  std::string text = V0(rules);
  EXPECT_EQ(text.substr(0, 19), "11 errors occurred:");
  EXPECT_TRUE(text.ends_with("rego_compile_error: error limit reached"));
}

TEST(Compile, ErasesPrintsUnlessTheyAreKept) {
  EXPECT_EQ(V1("r if { print(1) }"), "r = true { true }\n");
  EXPECT_EQ(CompileText({.modules = {"package p\nr if { print(input.x) }"}, .keep_prints = true}),
            "r = true { __local1__ = {__local0__ | __local0__ = input.x}; "
            "internal.print([__local1__]) }\n");
}

TEST(CompileQuery, KeepsTheNamesOfTheAuthor) {
  auto catalog = rego::CreateCatalog();
  CompileOptions options{.catalog = catalog.get()};
  auto policy = Compile({}, options);
  ASSERT_TRUE(policy);
  auto query = ParseQuery("x := [y | y := 1]; x[0] == z; z = 1");
  ASSERT_TRUE(query);
  auto compiled = CompileQuery(**policy, std::move(*query), options);
  ASSERT_TRUE(compiled) << ToString(compiled.error());
  EXPECT_NE(ToString(*compiled).find("x = [__localq"), std::string::npos) << ToString(*compiled);
}

// Every module of OPA's own cases parses and compiles.
void CompileCorpus(const char* folder, Version version) {
  std::filesystem::path shared = testing::SharedFolder();
  if (shared.empty()) {
    if (std::getenv("CI") != nullptr) {
      FAIL() << "the conformance data is missing";
    }
    GTEST_SKIP() << "the conformance data is not there";
  }
  auto catalog = rego::CreateCatalog();
  CompileOptions options{.catalog = catalog.get()};
  int compiled = 0;
  int missing_builtin = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(shared / "conformance" / "rego" / folder)) {
    if (entry.path().extension() != ".yaml") {
      continue;
    }
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    document::Arena arena;
    auto documents = document::ParseYaml(text.str(), arena);
    ASSERT_TRUE(documents) << entry.path() << ": " << documents.error().message;
    ASSERT_EQ(documents->size(), 1U) << entry.path();
    document::Value cases = documents->front().value.Find("cases");
    for (std::uint32_t i = 0; i < cases.size(); ++i) {
      document::Value modules = cases.ItemAt(i).Find("modules");
      std::vector<std::unique_ptr<Module>> parsed;
      for (std::uint32_t j = 0; j < modules.size(); ++j) {
        auto module = ParseModule("test-" + std::to_string(j) + ".rego",
                                  std::string(modules.ItemAt(j).string()), version);
        ASSERT_TRUE(module) << entry.path() << ": " << ToString(module.error());
        parsed.push_back(std::move(*module));
      }
      auto policy = Compile(std::move(parsed), options);
      std::string error = policy ? "" : ToString(policy.error());
      bool builtin = error.find("undefined function") != std::string::npos ||
                     error.find("must reference existing") != std::string::npos;
      if (builtin) {
        ++missing_builtin;  // The catalog does not have it.
      } else {
        EXPECT_TRUE(error.empty()) << entry.path() << ": " << error;
        ++compiled;
      }
    }
  }
  EXPECT_GT(compiled, 1000);
  std::cout << compiled << " cases compile, " << missing_builtin
            << " need builtins that there are not\n";
}

TEST(CompileCorpus, CompilesAllCasesOfVersion0) {
  CompileCorpus("v0", Version::kV0);
}
TEST(CompileCorpus, CompilesAllCasesOfVersion1) {
  CompileCorpus("v1", Version::kV1);
}

}  // namespace
}  // namespace portcullis::rego
