#include "document/json_complaint.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace portcullis::document {
namespace {

TEST(JsonComplaint, SaysWhatGoSays) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{", "unexpected end of JSON input"},
      {"", "unexpected end of JSON input"},
      {R"({"a")", "unexpected end of JSON input"},
      {R"({"a" 1})", "invalid character '1' after object key"},
      {R"({"a":1 "b"})", R"(invalid character '"' after object key:value pair)"},
      {R"({"a":1,})", "invalid character '}' looking for beginning of object key string"},
      {R"({a:1})", "invalid character 'a' looking for beginning of object key string"},
      {"[1 2]", "invalid character '2' after array element"},
      {"[1,]", "invalid character ']' looking for beginning of value"},
      {"{} x", "invalid character 'x' after top-level value"},
      {"\"a\nb\"", R"(invalid character '\n' in string literal)"},
      {R"("\x")", "invalid character 'x' in string escape code"},
      {R"("\u12g4")", R"(invalid character 'g' in \u hexadecimal character escape)"},
      {"nul", "unexpected end of JSON input"},
      {"nulx", "invalid character 'x' in literal null (expecting 'l')"},
      {"tru3", "invalid character '3' in literal true (expecting 'e')"},
      {"-", "unexpected end of JSON input"},
      {"-x", "invalid character 'x' in numeric literal"},
      {"01", "invalid character '1' after top-level value"},
      {"1.x", "invalid character 'x' after decimal point in numeric literal"},
      {"1e+x", "invalid character 'x' in exponent of numeric literal"},
      {"'", R"(invalid character '\'' looking for beginning of value)"},
      {"\xC3", "invalid character '\xC3\x83' looking for beginning of value"},
      {"[[[]]]", ""},
      {"[[[[", "invalid character '[' exceeded max depth"},
      {R"( {"a":[1,-2.5e3,"\u00e9\n",true,false,null,{}],"b":{}} )", ""},
  };
  for (const auto& [text, complaint] : cases) {
    EXPECT_EQ(JsonComplaint(text, 3), complaint) << text;
  }
}

}  // namespace
}  // namespace portcullis::document
