// Runs the programs of indexes (rules/rego/program_text.h writes them): a module whose rule `keys` is a set, the keys of the object
// that `input` is.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "index/key_program.h"
#include "rules/builtins/builtin.h"

namespace portcullis::rego {

inline constexpr std::string_view kKeyProgramPackage = "portcullis.keys";
// In every program: changed when the same text could come to give other keys, so that indexes are built anew.
inline constexpr std::string_view kKeyProgramVersion = "engine 1";

class RegoKeyPrograms final : public index::KeyPrograms {
 public:
  // What a program may use beyond these it has no keys for, the same on every machine and at any load.
  static constexpr std::uint64_t kMostSteps = 1'000'000;
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;

  // LIFETIME: `catalog` outlives the programs. Null: all builtins of this program.
  explicit RegoKeyPrograms(const builtins::Catalog* catalog = nullptr);
  ~RegoKeyPrograms() override;

  [[nodiscard]] Result<std::shared_ptr<const index::KeyProgram>> Make(
      const std::string& text) const override;

 private:
  std::unique_ptr<const builtins::Catalog> own_catalog_;
  const builtins::Catalog* catalog_;
};

}  // namespace portcullis::rego
