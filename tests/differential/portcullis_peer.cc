// portcullis_peer < requests.jsonl > answers.jsonl: answers as tests/opa_peer's `opa_peer answer` does, a request a line.

#include <cstdio>
#include <iostream>
#include <string>

#include "tests/differential/answer.h"

int main() {
  std::ios::sync_with_stdio(false);
  const auto catalog = portcullis::builtins::Catalog::Create();
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty()) {
      std::cout << portcullis::differential::Answer(line, *catalog) << '\n';
      // An asker that waits for each answer gets it at once.
      if (std::cin.rdbuf()->in_avail() <= 0) {
        std::cout.flush();
      }
    }
  }
  return 0;
}
