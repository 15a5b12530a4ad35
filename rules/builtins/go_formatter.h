// Go's fmt.Sprintf, one format at a time: go_format.cc reads its directives, go_format_verbs.cc writes what they show.

#pragma once

#include <complex>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rules/builtins/go_format.h"
#include "rules/builtins/number.h"

namespace portcullis::builtins {

// Of one directive.
struct GoFlags {
  bool plus = false;
  bool minus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  bool sharp_v = false;  // %#v
  std::optional<int> width;
  std::optional<int> precision;
};

class GoFormatter {
 public:
  GoFormatter(std::string_view format, const document::Value& arguments, std::size_t limit_bytes,
              std::string* out)
      : format_(format), values_(&arguments), limit_bytes_(limit_bytes), out_(*out) {}
  GoFormatter(std::string_view format, std::span<const GoArgument> arguments,
              std::size_t limit_bytes, std::string* out)
      : format_(format), arguments_(arguments), limit_bytes_(limit_bytes), out_(*out) {}
  void Run();
  void Print(const GoArgument& argument, char32_t verb);

 private:
  [[nodiscard]] std::uint32_t count() const;
  [[nodiscard]] GoArgument At(std::uint32_t i) const;
  // One "%…" whose percent sign has been read.
  void Directive();
  void ReadFlags();
  // Digits up to `end`, with at_ moved behind them; a number that is too large swallows the rest.
  std::optional<int> ReadNumber(std::size_t end);
  // "[3]": the argument to take next.
  void ReadIndex();
  // "*": the next argument as a width or precision.
  std::optional<int> ReadStar();
  void ReadWidth();
  void ReadPrecision();
  void Verb(char32_t verb);
  void Complain(char32_t verb, std::string_view what);
  void Extra();
  void BadVerb(const GoArgument& argument, char32_t verb);
  void Boolean(const GoArgument& argument, bool truth, char32_t verb);
  void Nil(char32_t verb);
  // An item of an array or a value of an object, which are interfaces.
  void Item(const document::Value& item, char32_t verb);
  void Container(const document::Value& value, char32_t verb);
  void Fill(std::int64_t missing, char fill);
  // `text` filled up to the width, on the left with zeros where the flags say so.
  void Pad(std::string_view text, bool zeros);
  std::string_view Cut(std::string_view text) const;
  void Text(std::string_view text) { Pad(Cut(text), true); }
  void Quoted(std::string_view text);
  void HexOfText(std::string_view text, bool upper);
  void String(const GoArgument& argument, std::string_view text, char32_t verb);
  void Float(const GoArgument& argument, double number, char32_t verb);
  void Complex(const GoArgument& argument, std::complex<double> number, char32_t verb);
  void FloatText(double number, char format, int precision, char32_t verb);
  // %#g: the point always stands, and so do the zeros after it.
  static void KeepZeros(char format, int precision, std::string* text);
  // The base of an integer verb, or 0.
  static int BaseOf(char32_t verb);
  static std::string PrefixOf(char32_t verb, bool sharp);
  std::string SignOf(bool negative) const;
  static std::string DigitsOf(const BigInt& number, char32_t verb);
  void Integer(const GoArgument& argument, std::int64_t number, char32_t verb);
  void CodePoint(std::int64_t number);
  void Big(const GoArgument&, const BigInt& number, char32_t verb);

  const std::string_view format_;
  // Either of the two.
  const document::Value* const values_ = nullptr;
  const std::span<const GoArgument> arguments_;
  const std::size_t limit_bytes_;
  std::string& out_;
  std::size_t at_ = 0;      // In format_.
  std::uint32_t next_ = 0;  // The argument that the next verb takes.
  bool reordered_ = false;  // An index was given: left-over arguments are fine.
  bool good_index_ = true;  // Of the current directive.
  bool after_index_ = false;
  GoFlags flags_;
};

}  // namespace portcullis::builtins
