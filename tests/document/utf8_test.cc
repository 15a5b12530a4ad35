#include "document/utf8.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace portcullis::document {
namespace {

TEST(Utf8Test, DecodesWhatItAppends) {
  for (const std::uint32_t code :
       {0x0U, 0x7FU, 0x80U, 0x7FFU, 0x800U, 0xD7FFU, 0xE000U, 0xFFFFU, 0x10000U, 0x10FFFFU}) {
    std::string text;
    AppendRune(code, &text);
    const Rune rune = DecodeRune(text);
    EXPECT_EQ(rune.code, code);
    EXPECT_EQ(rune.size, text.size());
    EXPECT_TRUE(IsValidUtf8(text));
  }
}

TEST(Utf8Test, RefusesWhatIsNotShortestOrNotACharacter) {
  for (const std::string_view bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "\xC3z"}) {
    EXPECT_EQ(DecodeRune(bad).size, 0U);
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

TEST(Utf8Test, ReplacesEachBadByte) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xE2\x82z\xFF"), "a\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD");
  EXPECT_EQ(ReplaceInvalidUtf8("\xC3\xA9"), "\xC3\xA9");
}

TEST(Utf8Test, KnowsWhatIsPrintable) {
  for (const std::uint32_t code : {0x20U, 0x7EU, 0xA1U, 0xE9U, 0x4E2DU, 0xFFFDU, 0x1F600U}) {
    EXPECT_TRUE(IsPrintable(code)) << code;
  }
  for (const std::uint32_t code :
       {0x0U, 0x1FU, 0x7FU, 0x80U, 0xA0U, 0xADU, 0x200BU, 0x2028U, 0xE000U, 0x10FFFFU}) {
    EXPECT_FALSE(IsPrintable(code)) << code;
  }
}

}  // namespace
}  // namespace portcullis::document
