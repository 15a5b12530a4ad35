// Any bytes are a snapshot file that reads to its end, or an error.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "store/snapshot_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("fuzz_snapshot-" + std::to_string(getpid()));
  {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  }
  const auto reader = portcullis::store::SnapshotReader::Open(path);
  if (reader) {
    bool going = true;
    while (going) {
      const auto object = (*reader)->NextObject();
      going = object && object->has_value();
    }
    going = true;
    while (going) {
      const auto kind = (*reader)->NextKind();
      going = kind && kind->has_value();
    }
  }
  std::filesystem::remove(path);
  return 0;
}
