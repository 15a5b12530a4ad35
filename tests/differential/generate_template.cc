#include "tests/differential/generator.h"

namespace portcullis::differential {

Program GenerateTemplate(std::uint64_t seed) {
  return Generator(seed, Flavour::kInventory).RunTemplate();
}

// A template's Rego as the module "rego", a constraint's parameters as the input, and objects as data.inventory.
Program Generator::RunTemplate() {
  program_.version = "v0";
  dialect_ = {"v0", "", false, false, false, false};
  withs_ = false;
  packages_.push_back({"random", "random"});
  const ShapePtr parameters = RecordOf({{"words", ArrayOf(Simple(Kind::kString))},
                                        {"numbers", ArrayOf(Simple(Kind::kNumber))},
                                        {"labels", MapOf(Simple(Kind::kString))},
                                        {"n", Simple(Kind::kNumber)}});
  roots_.push_back({0, "input.review.object", ObjectShape(), false});
  roots_.push_back({0, "input.parameters", parameters, false});
  roots_.push_back({0, "data.inventory", InventoryShape(), false});
  program_.input = Constant(random_, *parameters, true);
  program_.data = "{\"inventory\": " + RandomInventory(random_) + '}';
  std::string text = "package random\n\n";
  for (unsigned i = random_.Below(3); i > 0; --i) {
    text += Rule();
  }
  for (unsigned i = 1 + random_.Below(2); i > 0; --i) {
    Scope scope;
    std::vector<std::string> body = Body(scope, 1 + random_.Below(2), random_.Below(2));
    body.push_back("msg := " + StringCall(scope));
    const std::string details =
        random_.Chance(50) ? ", \"details\": {\"d\": " + Term(SmallShape(), scope) + '}' : "";
    text += "violation[{\"msg\": msg" + details + "}]" + BodyBlock(body) + "\n\n";
  }
  program_.modules["rego"] = text;
  return program_;
}

}  // namespace portcullis::differential
