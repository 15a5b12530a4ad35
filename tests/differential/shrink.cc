#include "tests/differential/shrink.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "document/arena.h"
#include "document/json.h"

namespace portcullis::differential {
namespace {

bool IsJson(const std::string& text, bool object) {
  document::Arena arena;
  const auto value = document::ParseJson(text, arena);
  return value && (!object || value->is_object());
}

using Pieces = std::vector<std::string>;

std::string Join(const Pieces& pieces) {
  std::string text;
  for (const std::string& piece : pieces) {
    text += piece;
  }
  return text;
}

Pieces Lines(const std::string& text) {
  Pieces lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    lines.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return lines;
}

// Words, strings and single signs, each with the blanks behind it.
Pieces Tokens(const std::string& text) {
  Pieces tokens;
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin + 1;
    if (is_word(text[begin])) {
      while (end < text.size() && is_word(text[end])) {
        ++end;
      }
    } else if (text[begin] == '"') {
      while (end < text.size() && text[end] != '"') {
        ++end;
      }
      ++end;
    }
    while (end < text.size() && text[end] == ' ') {
      ++end;
    }
    tokens.push_back(text.substr(begin, end - begin));
    begin = std::min(end, text.size());
  }
  return tokens;
}

// Zeller's delta debugging over runs of pieces, from half of them down to one.
template <class Fits>
void Reduce(Pieces& pieces, const Fits& fits) {
  for (std::size_t run = std::max<std::size_t>(pieces.size() / 2, 1);; run /= 2) {
    for (std::size_t at = 0; at < pieces.size();) {
      const std::size_t end = std::min(at + run, pieces.size());
      Pieces fewer(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(at));
      fewer.insert(fewer.end(), pieces.begin() + static_cast<std::ptrdiff_t>(end), pieces.end());
      if (fits(Join(fewer))) {
        pieces = std::move(fewer);
      } else {
        at += run;
      }
    }
    if (run <= 1) {
      return;
    }
  }
}

// Brackets go together with what they hold, and alone.
template <class Fits>
void ReduceBrackets(Pieces& tokens, const Fits& fits) {
  for (std::size_t open = 0; open < tokens.size(); ++open) {
    const char first = tokens[open][0];
    if (first != '(' && first != '[' && first != '{') {
      continue;
    }
    int depth = 0;
    std::size_t close = open;
    for (; close < tokens.size(); ++close) {
      const char c = tokens[close][0];
      depth += c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
      if (depth == 0) {
        break;
      }
    }
    if (close >= tokens.size()) {
      return;
    }
    const auto at = [&](std::size_t i) { return tokens.begin() + static_cast<std::ptrdiff_t>(i); };
    Pieces inner(tokens.begin(), at(open));
    inner.insert(inner.end(), at(open + 1), at(close));
    inner.insert(inner.end(), at(close + 1), tokens.end());
    Pieces without(tokens.begin(), at(open));
    without.insert(without.end(), at(close + 1), tokens.end());
    Pieces hollow(tokens.begin(), at(open + 1));
    hollow.insert(hollow.end(), at(close), tokens.end());
    // A call, with its name, by a constant.
    Pieces constant(tokens.begin(), at(open));
    constant.emplace_back("1 ");
    constant.insert(constant.end(), at(close + 1), tokens.end());
    for (Pieces* candidate : {&without, &hollow, &constant, &inner}) {
      if (candidate->size() < tokens.size() && fits(Join(*candidate))) {
        tokens = std::move(*candidate);
        open = open == 0 ? 0 : open - 1;
        break;
      }
    }
  }
}

class Shrinker {
 public:
  Shrinker(Program program, const Probe& holds) : best_(std::move(program)), holds_(holds) {}

  Program Run() {
    for (std::size_t before = 0; before != Size();) {
      before = Size();
      Flags();
      for (auto module = best_.modules.begin(); module != best_.modules.end();) {
        Program fewer = best_;
        fewer.modules.erase(module->first);
        const std::string name = module->first;
        Try(std::move(fewer));
        module = best_.modules.upper_bound(name);
      }
      std::vector<std::string> names;
      for (const auto& [name, text] : best_.modules) {
        names.push_back(name);
      }
      for (const std::string& name : names) {
        Text([name](Program& program) -> std::string& { return program.modules[name]; });
      }
      Text([](Program& program) -> std::string& { return program.query; });
      Text([](Program& program) -> std::string& { return program.input; });
      Text([](Program& program) -> std::string& { return program.data; });
    }
    return best_;
  }

 private:
  [[nodiscard]] std::size_t Size() const {
    std::size_t size = best_.query.size() + best_.input.size() + best_.data.size();
    for (const auto& [name, text] : best_.modules) {
      size += text.size();
    }
    return size;
  }

  bool Try(Program candidate) {
    // What is no JSON is no request.
    if (candidate == best_ || !(candidate.input.empty() || IsJson(candidate.input, false)) ||
        !IsJson(candidate.data, true) || !holds_(candidate)) {
      return false;
    }
    best_ = std::move(candidate);
    return true;
  }

  void Flags() {
    for (bool Program::* flag : {&Program::strict, &Program::strict_builtin_errors}) {
      Program without = best_;
      without.*flag = false;
      Try(std::move(without));
    }
  }

  template <class Field>
  void Text(const Field& field) {
    const auto fits = [&](const std::string& text) {
      Program candidate = best_;
      field(candidate) = text;
      return Try(std::move(candidate));
    };
    Pieces lines = Lines(field(best_));
    Reduce(lines, fits);
    Pieces tokens = Tokens(field(best_));
    ReduceBrackets(tokens, fits);
    Reduce(tokens, fits);
  }

  Program best_;
  const Probe& holds_;
};

}  // namespace

Program Shrink(Program program, const Probe& holds) {
  return Shrinker(std::move(program), holds).Run();
}

}  // namespace portcullis::differential
