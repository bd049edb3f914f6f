// What `--resume` looks at before it takes a checkpoint: MANIFEST.json, beside a file that it may list, and
// the lines that it cuts back.
#include "train/run_directory.h"

#include "core/file.h"
#include "fuzz/target.h"
#include "store/manifest.h"

namespace surprisal::fuzz {

void read(std::string_view input) {
  const std::vector<std::string> files = parts_of(input, 3);
  write("weights", files[1]);
  write("metrics.jsonl", files[2]);
  const RunDirectory run(directory());
  run.cut_back(100);
  const std::string kept = read_file(directory() / "metrics.jsonl");
  expect(kept.size() <= files[2].size() + 1, "lines that nobody wrote");
  write(kManifestFile, files[0]);
  for (const ManifestEntry& entry : read_manifest(directory())) {
    expect((directory() / entry.file).lexically_normal().string().starts_with(directory().string() + "/"),
           "a file outside the directory");
  }
  verify_manifest(directory());
}

std::vector<std::string> seeds() {
  write("weights", "abc");
  write("metrics.jsonl", "");
  write_manifest(directory());
  const std::string manifest = read_file(directory() / kManifestFile);
  return {join_parts({manifest, "abc", ""}),
          join_parts({manifest, "abd", "{\"step\":1,\"loss\":2}\n{\"step\":101}\n"}),
          join_parts({R"({"format":1,"files":[]})", "", "{\"step\":1"})};
}

}  // namespace surprisal::fuzz
