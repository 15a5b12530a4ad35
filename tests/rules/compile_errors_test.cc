// Errors of wrong modules, to the text: each a class of mutants (tests/differential/compile_test.py) that once differed from OPA.

#include <string>

#include <gtest/gtest.h>

#include "rules/rego/catalog.h"
#include "rules/rego/compile.h"

namespace portcullis::rego {
namespace {

struct WrongModule {
  std::string name;
  Version version;
  std::string text;
  std::string want;  // "ok": there are no errors.
};

std::string CheckText(const WrongModule& wrong) {
  auto module = ParseModule("test-0.rego", wrong.text, wrong.version, Annotations::kRead);
  if (!module) {
    return ToString(module.error());
  }
  const auto catalog = CreateCatalog();
  std::vector<std::unique_ptr<Module>> modules;
  modules.push_back(std::move(*module));
  const auto policy = Compile(std::move(modules), {.catalog = catalog.get()});
  return policy ? "ok" : ToString(policy.error());
}

class CompileErrors : public ::testing::TestWithParam<WrongModule> {};

TEST_P(CompileErrors, AreOpas) {
  EXPECT_EQ(CheckText(GetParam()), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Modules, CompileErrors,
    ::testing::Values(
        WrongModule{
            "GoesOnAfterAWrongImport", Version::kV0,
            "package a\nimport future.keywords.x\np {{ 1 }\n",
            "2 errors occurred:\ntest-0.rego:2: rego_parse_error: unexpected keyword, must be one "
            "of [and contains every if in not or]\n\timport future.keywords.x\n\t       "
            "^\ntest-0.rego:4: rego_parse_error: unexpected eof token\n\tp {{ 1 }\n\t       ^"},
        WrongModule{"TellsTheEndOfTheTextOnce", Version::kV0, "package a\np { x <=\n",
                    "1 error occurred: test-0.rego:3: rego_parse_error: unexpected eof token\n\tp "
                    "{ x <=\n\t       ^"},
        WrongModule{"SaysWhyARuleMayBeRecursive", Version::kV1,
                    "package a\np if {\n\tx := input.k\n\tdata.a[x].z\n}\n",
                    "1 error occurred: test-0.rego:2: rego_recursion_error: rule data.a.p may be "
                    "recursive: data.a.p -> data.a.p (data.a[x] refers to data.a.p if x is \"p\" "
                    "(x comes from input.k))"},
        WrongModule{"NamesTheValuesOfACycle", Version::kV1,
                    "package a\np if {\n\tsome x in [\"p\", \"q\"]\n\tdata.a[x]\n}\n",
                    "1 error occurred: test-0.rego:2: rego_recursion_error: rule data.a.p may be "
                    "recursive: data.a.p -> data.a.p (data.a[x] refers to data.a.p if x is \"p\" "
                    "(x is one of [\"p\", \"q\"]))"},
        WrongModule{"StopsABodyAtItsFirstWrongWith", Version::kV1,
                    "package a\np if {\n\tinput.a with foo.x as 1\n\tinput.b with bar.y as 2\n}\n",
                    "1 error occurred: test-0.rego:3: rego_type_error: with keyword target must "
                    "reference existing input, data, or a function"},
        WrongModule{"RefusesElseOfAnEntry", Version::kV0,
                    "package a\np.q := 1 { input.x } else := 2 { input.y }\n",
                    "1 error occurred: test-0.rego:2: rego_parse_error: else keyword cannot be "
                    "used on multi-value rules\n\tp.q := 1 { input.x } else := 2 { input.y }\n\t   "
                    "                  ^"},
        WrongModule{
            "ReadsACharacterAfterANumberAsPartOfIt", Version::kV1, "package a\np := [1é]\n",
            "2 errors occurred:\ntest-0.rego:2: rego_parse_error: unexpected number token: invalid "
            "float\n\tp := [1é]\n\t      ^\ntest-0.rego:2: rego_parse_error: unexpected number "
            "token: expected rule value term (e.g., p := <VALUE> { ... })\n\tp := [1é]\n\t      ^"},
        WrongModule{"TakesNotAfterAnImportForAName", Version::kV0,
                    "null package a\nimport data.b\nnot = 1 { true }\n",
                    "2 errors occurred:\ntest-0.rego:1: rego_parse_error: package "
                    "expected\ntest-0.rego:1: rego_parse_error: unexpected package"},
        WrongModule{"MeetsDeprecatedCallsWhereTypesAreChecked", Version::kV1,
                    "package a\np if { every x in [1] { any([x]) } }\n", "ok"},
        WrongModule{"TellsDeprecatedCallsEverywhereOnceOneIsMet", Version::kV1,
                    "package a\np if { every x in [1] { any([x]) } }\nq if any([true])\n",
                    "2 errors occurred:\ntest-0.rego:2: rego_type_error: deprecated built-in "
                    "function calls in expression: any\ntest-0.rego:3: rego_type_error: deprecated "
                    "built-in function calls in expression: any"},
        WrongModule{"KnowsNoPlaceOfACallInATemplate", Version::kV1,
                    "package a\np := $\"{1 + a}\"\n",
                    "1 error occurred: rego_compile_error: var a is undeclared"},
        WrongModule{"TellsTemplatesInClosuresTwice", Version::kV1,
                    "package a\np := [1 | $\"{a + 1}\" == \"\"]\n",
                    "2 errors occurred:\nrego_compile_error: var a is "
                    "undeclared\nrego_compile_error: var a is undeclared"},
        WrongModule{"LooksAtOuterTemplatesFirst", Version::kV1, "package a\np := $`{$\"{a}\"}`\n",
                    "1 error occurred: test-0.rego:2: rego_unsafe_var_error: var a is unsafe"},
        WrongModule{"ShowsAChoiceOfOne", Version::kV1, "package a\np if net.cidr_merge(1)\n",
                    "1 error occurred: test-0.rego:2: rego_type_error: net.cidr_merge: invalid "
                    "argument(s)\n\thave: (number)\n\twant: (addrs: any<array[any<string>], "
                    "set[string]>, output: set[string])"},
        WrongModule{"TakesAVariableWithABuiltinsNameForIt", Version::kV1,
                    "package a\nxs := [1]\np := [1 | y = xs[count]; y > 0]\n",
                    "1 error occurred: test-0.rego:3: rego_type_error: undefined ref: "
                    "data.a.xs[count]\n\tdata.a.xs[count]\n\t          ^\n\t          have (type): "
                    "(any<string, array[any], object[any: any], set[any]>) => number\n\t          "
                    "want (type): number"},
        WrongModule{"AnnotationNeedsAStatementBelow", Version::kV1,
                    "package a\np := 1\n# METADATA\n# title: x\n",
                    "1 error occurred: test-0.rego:3: rego_parse_error: invalid annotation scope "
                    "''. Use one of 'rule', 'document', 'package', or 'subpackages'"},
        WrongModule{"AnnotationAboveAnImport", Version::kV1,
                    "package a\n# METADATA\n# title: x\nimport data.b\np := b\n",
                    "1 error occurred: test-0.rego:2: rego_parse_error: invalid annotation scope "
                    "'import'. Use one of 'rule', 'document', 'package', or 'subpackages'"},
        WrongModule{"AnnotationOfAWrongScope", Version::kV1,
                    "package a\n# METADATA\n# scope: all\np := 1\n",
                    "1 error occurred: test-0.rego:2: rego_parse_error: invalid annotation scope "
                    "'all'. Use one of 'rule', 'document', 'package', or 'subpackages'"},
        WrongModule{"AnnotationThatIsNoYaml", Version::kV1,
                    "package a\n# METADATA\n# title: a: b\np := 1\n",
                    "1 error occurred: test-0.rego:3: rego_parse_error: yaml: mapping values are "
                    "not allowed in this context\n\t# title: a: b\n\t^"},
        WrongModule{
            "AnnotationWithWrongTypes", Version::kV1,
            "package a\n# METADATA\n# entrypoint: 1\n# authors: x\n# custom:\n# - y\np := 1\n",
            "1 error occurred: test-0.rego:4: rego_parse_error: yaml: unmarshal errors:\n  line 1: "
            "cannot unmarshal !!int `1` into bool\n  line 2: cannot unmarshal !!str `x` into "
            "[]interface {}\n  line 4: cannot unmarshal !!seq into map[string]interface {}\n\t# "
            "authors: x\n\t^"},
        WrongModule{"AnnotationWithAKeyTwice", Version::kV1,
                    "package a\n# METADATA\n# title: x\n# title: y\np := 1\n",
                    "1 error occurred: test-0.rego:4: rego_parse_error: yaml: unmarshal errors:\n  "
                    "line 2: mapping key \"title\" already defined at line 1\n\t# title: y\n\t^"},
        WrongModule{"AnnotationWithoutABlankAfterAColon", Version::kV1,
                    "package a\n# METADATA\n# authors:x\np := 1\n",
                    "1 error occurred: test-0.rego:3: rego_parse_error: yaml: unmarshal errors:\n  "
                    "line 1: cannot unmarshal !!str `authors:x` into ast.rawAnnotation\n  Hint: on "
                    "line 3, symbol(s) ['x'] immediately following a key/value separator ':' is "
                    "not a legal yaml space character\n\t# authors:x\n\t^"},
        WrongModule{"AnnotationRedeclared", Version::kV1,
                    "# METADATA\n# title: x\n# scope: package\npackage a\n# METADATA\n# scope: "
                    "document\np := 1\n# METADATA\n# scope: document\np := 1\n",
                    "1 error occurred: test-0.rego:8: rego_type_error: document annotation "
                    "redeclared: test-0.rego:5"},
        WrongModule{"AnnotationOfAnEmptyAuthor", Version::kV1,
                    "package a\n# METADATA\n# authors:\n# - ''\np := 1\n",
                    "1 error occurred: test-0.rego:2: rego_parse_error: invalid author definition "
                    ": author is an empty string\n\t# METADATA\n\t^"},
        WrongModule{
            "AnnotationWithAWrongResource", Version::kV1,
            "package a\n# METADATA\n# related_resources:\n# - {a: 1}\np := 1\n",
            "1 error occurred: test-0.rego:2: rego_parse_error: invalid related-resource "
            "definition map[a:%!s(int=1)]: 'ref' value required in object\n\t# METADATA\n\t^"},
        WrongModule{"ChainHasATypeOfItsOwn", Version::kV1,
                    "package a\np if count(rego.metadata.chain()) == concat(\",\", "
                    "rego.metadata.chain())\n",
                    "1 error occurred: test-0.rego:2: rego_type_error: concat: invalid "
                    "argument(s)\n\thave: (string, array<...>, ?\?\?)\n\twant: (delimiter: string, "
                    "collection: any<array[string], set[string]>, output: string)"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace portcullis::rego
