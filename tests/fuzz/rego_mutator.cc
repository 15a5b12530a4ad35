// Changes Rego as a text of words and lines, so that more of what comes out is Rego again: libFuzzer's hooks for targets
// that read programs. Plain changes of bytes remain a part of it.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/program.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t room);

namespace portcullis::fuzz {
namespace {

constexpr std::array kWords = std::to_array<std::string_view>({
    "package",  "import",
    "default",  "else",
    "some",     "every",
    "in",       "not",
    "with",     "as",
    "if",       "and",
    "or",       "true",
    "null",     "set()",
    "input",    "data",
    "_",        "{}",
    "[]",       ":=",
    "==",       "!=",
    "=",        "|",
    "&",        "contains",
    "x",        "y",
    "\"a\"",    "`r`",
    "$\"{x}\"", "-1",
    "0",        "1e400",
    "1.5",      "9223372036854775808",
});
constexpr std::array kStatements = std::to_array<std::string_view>({
    "x := input.a",
    "x == input[_]",
    "some i, v in input",
    "some v in [1, 2, {\"a\": 3}]",
    "every k, v in input { v != k }",
    "not input.x",
    "count([y | y := input[_]]) > 0",
    "m := {k: v | some k, v in input}",
    "[a, b] = [b, 1]",
    "walk(input, [p, v])",
    "x := data.a.b with input as {\"a\": 1}",
    "y := count(input) with count as sum",
    "p contains x if { some x in input }",
    "p[x] = y { y := input[x] }",
    "f(x) := y if { y := x + 1 } else := 2",
    "a.b[c].d := 1 if c := \"k\"",
    "default q := false",
    "import rego.v1",
    "import future.keywords",
    "import data.a as b",
    "print(input, x)",
    "x := object.union(input, {\"a\": [1]})",
    "x := numbers.range(1, 100)[_]",
    "x in {1, 2} == y",
    "#module",
    "#input",
    "#data",
});
constexpr std::array kFrames = std::to_array<std::array<std::string_view, 2>>({
    {{"[", "]"}},
    {{"{", "}"}},
    {{"(", ")"}},
    {{"{\"a\": ", "}"}},
    {{"[z | z := ", "]"}},
    {{"{z | z = ", "[_]}"}},
    {{"{k: v | some k, v in ", "}"}},
    {{"not ", ""}},
    {{"-", ""}},
    {{"", "[_]"}},
    {{"", ".a"}},
    {{"", " with input as {}"}},
    {{"", " else := 1"}},
    {{"$\"{", "}\""}},
});

class Mutation {
 public:
  Mutation(std::string text, unsigned seed) : text_(std::move(text)), random_(seed) {}

  std::string Run() {
    const std::size_t rounds = 1 + Below(3);
    for (std::size_t i = 0; i < rounds; ++i) {
      Step();
    }
    return text_;
  }

  // Lines of `other` come between the lines here.
  std::string Splice(const std::string& other) {
    const std::vector<std::size_t> from = Lines(other);
    const std::size_t first = Below(from.size());
    const std::size_t last = std::min(from.size(), first + 1 + Below(8));
    const std::size_t end = last == from.size() ? other.size() : from[last];
    const std::vector<std::size_t> here = Lines(text_);
    std::string lines = other.substr(from[first], end - from[first]);
    if (!lines.ends_with('\n')) {
      lines += '\n';
    }
    const std::size_t at = here[Below(here.size())];
    const std::size_t replaced = Below(3) == 0 ? LineEnd(at) - at : 0;
    text_.replace(at, replaced, lines);
    return text_;
  }

 private:
  struct Piece {
    std::size_t begin;
    std::size_t size;
  };

  std::size_t Below(std::size_t bound) {
    return bound == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  template <class List>
  const auto& Any(const List& list) {
    return list[Below(list.size())];
  }

  static std::vector<std::size_t> Lines(std::string_view text) {
    std::vector<std::size_t> begins = {0};
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      if (text[i] == '\n') {
        begins.push_back(i + 1);
      }
    }
    return begins;
  }
  [[nodiscard]] std::size_t LineEnd(std::size_t at) const {
    const std::size_t end = text_.find('\n', at);
    return end == std::string::npos ? text_.size() : end + 1;
  }

  static bool IsWordByte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || (static_cast<unsigned char>(c) & 0x80U) != 0;
  }

  // Words with their dots, quoted strings, and single other bytes.
  [[nodiscard]] std::vector<Piece> Pieces() const {
    std::vector<Piece> pieces;
    for (std::size_t at = 1; at < text_.size();) {
      std::size_t end = at + 1;
      if (IsWordByte(text_[at])) {
        while (end < text_.size() && IsWordByte(text_[end])) {
          ++end;
        }
      } else if (text_[at] == '"') {
        while (end < text_.size() && text_[end] != '"' && text_[end] != '\n') {
          end += text_[end] == '\\' ? 2U : 1U;
        }
        end = std::min(end + 1, text_.size());
      }
      if (text_[at] != ' ' && text_[at] != '\n' && text_[at] != '\t') {
        pieces.push_back({at, end - at});
      }
      at = end;
    }
    return pieces;
  }

  std::string Word(const std::vector<Piece>& pieces) {
    if (Below(3) == 0) {
      return std::string(Any(kWords));
    }
    const Piece& piece = Any(pieces);
    return text_.substr(piece.begin, piece.size);
  }

  std::string CallOfABuiltin(const std::vector<Piece>& pieces) {
    const builtins::Builtin& builtin = *Any(OfflineCatalog().all());
    std::string call(builtin.name);
    call += '(';
    const std::size_t operands = Below(4);
    for (std::size_t i = 0; i < operands; ++i) {
      call += (i == 0 ? "" : ", ") + Word(pieces);
    }
    return call + ")";
  }

  void Step() {
    const std::vector<Piece> pieces = Pieces();
    const std::vector<std::size_t> lines = Lines(text_);
    if (pieces.empty()) {
      text_ += Any(kStatements);
      return;
    }
    const Piece piece = Any(pieces);
    const std::size_t line = Any(lines);
    const std::string copy = text_.substr(line, LineEnd(line) - line);
    switch (Below(10)) {
      case 0:
      case 1:
        text_.replace(piece.begin, piece.size, Word(pieces));
        return;
      case 2:
        text_.replace(piece.begin, piece.size, CallOfABuiltin(pieces));
        return;
      case 3: {
        const auto& frame = Any(kFrames);
        text_.insert(piece.begin + piece.size, frame[1]);
        text_.insert(piece.begin, frame[0]);
        return;
      }
      case 4:
        text_.erase(piece.begin, piece.size);
        return;
      case 5:
        text_.insert(piece.begin, Word(pieces) + " ");
        return;
      case 6:
        text_.insert(Any(lines), copy);
        return;
      case 7:
        text_.erase(line, copy.size());
        text_.insert(std::min(Any(lines), text_.size()), copy);
        return;
      case 8:
        text_.insert(line == 0 ? text_.size() : line, "\n" + std::string(Any(kStatements)) + "\n");
        return;
      default:
        if (line != 0) {
          text_.erase(line, copy.size());
        }
        return;
    }
  }

  std::string text_;
  std::minstd_rand random_;
};

std::size_t Give(const std::string& text, std::uint8_t* out, std::size_t room) {
  const std::size_t size = std::min(text.size(), room);
  std::copy_n(text.begin(), size, out);
  return size;
}

}  // namespace
}  // namespace portcullis::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned seed) {
  if (seed % 4 == 0) {
    return LLVMFuzzerMutate(data, size, room);
  }
  portcullis::fuzz::Mutation mutation(std::string(reinterpret_cast<const char*>(data), size), seed);
  return portcullis::fuzz::Give(mutation.Run(), data, room);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* one, std::size_t one_size,
                                                 const std::uint8_t* other, std::size_t other_size,
                                                 std::uint8_t* out, std::size_t room,
                                                 unsigned seed) {
  portcullis::fuzz::Mutation mutation(std::string(reinterpret_cast<const char*>(one), one_size),
                                      seed);
  const std::string lines(reinterpret_cast<const char*>(other), other_size);
  return portcullis::fuzz::Give(mutation.Splice(lines), out, room);
}
