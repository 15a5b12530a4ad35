// The mutators of policies/: each sample becomes what stands beside it.

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/mutation/support.h"

namespace portcullis::mutation {
namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(OwnMutatorsTest, SamplesBecomeWhatStandsBesideThem) {
  std::size_t samples = 0;
  for (const fs::directory_entry& folder : fs::directory_iterator(PORTCULLIS_POLICIES)) {
    if (!fs::exists(folder.path() / "mutators.yaml")) {
      continue;
    }
    document::Arena arena;
    MutationStore store;
    const auto mutators = document::ParseManifests(Read(folder.path() / "mutators.yaml"), arena);
    ASSERT_TRUE(mutators) << mutators.error().ToString();
    for (const document::YamlDocument& each : *mutators) {
      const auto put = store.Put(each.value);
      EXPECT_TRUE(put) << folder.path() << ": " << (put ? "" : put.error().message);
    }
    for (const MutatorStatus& status : store.Statuses()) {
      EXPECT_TRUE(status.enforced) << folder.path() << ": " << status.id.ToString();
    }
    for (const fs::directory_entry& file : fs::directory_iterator(folder.path() / "samples")) {
      if (file.path().extension() != ".mutated") {
        continue;
      }
      const auto sample =
          document::ParseYaml(Read(fs::path(file.path()).replace_extension(".yaml")), arena);
      ASSERT_TRUE(sample) << sample.error().ToString();
      const auto outcome = store.current()->Mutate({.object = sample->front().value,
                                                    .name_space = {},
                                                    .username = {},
                                                    .source = "Original",
                                                    .operation = Operation::kCreate},
                                                   WithFixedId(), arena);
      ASSERT_TRUE(outcome) << outcome.error().message;
      EXPECT_EQ(document::ToYaml(outcome->object), Read(file.path())) << file.path();
      ++samples;
    }
  }
  EXPECT_GE(samples, 4U);
}

}  // namespace
}  // namespace portcullis::mutation
