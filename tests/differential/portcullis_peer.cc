// portcullis_peer [--steps] < requests.jsonl > answers.jsonl: answers as tests/opa_peer's `opa_peer answer` does, a request a
// line. With --steps by the evaluator that explains its steps.
// A request with "inventory": true is answered in every way that data.inventory can be read (inventory_answer.h).

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "rules/rego/catalog.h"
#include "tests/differential/answer.h"
#include "tests/differential/inventory_answer.h"

int main(int argc, char** argv) {
  using portcullis::differential::EvaluateBy;
  const auto by =
      argc > 1 && std::string_view(argv[1]) == "--steps" ? EvaluateBy::kSteps : EvaluateBy::kPlan;
  std::ios::sync_with_stdio(false);
  const auto catalog = portcullis::rego::CreateCatalog();
  std::unique_ptr<portcullis::differential::InventoryAnswerer> inventory;
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty()) {
      if (line.ends_with(",\"inventory\":true}")) {
        if (inventory == nullptr) {
          inventory = std::make_unique<portcullis::differential::InventoryAnswerer>(*catalog);
        }
        std::cout << inventory->Answer(line) << '\n';
      } else {
        std::cout << portcullis::differential::Answer(line, *catalog, by) << '\n';
      }
      // An asker that waits for each answer gets it at once.
      if (std::cin.rdbuf()->in_avail() <= 0) {
        std::cout.flush();
      }
    }
  }
  return 0;
}
