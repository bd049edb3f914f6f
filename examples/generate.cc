// A text continued, or its blanks filled, as it grows: generate MODEL TEXT
#include "surprisal/generate.h"

#include <cstdio>
#include <string>

#include "surprisal/error.h"

namespace {

void run(const std::string& directory, const std::string& text) {
  surprisal::Model model = surprisal::Model::load(directory);
  const auto show = [](std::string_view more) { std::fwrite(more.data(), 1, more.size(), stdout); };
  if (text.find("MASK]") != std::string::npos) {  // GLM's masks
    surprisal::infill(model, text, {.sampling = {.temperature = 0}, .on_text = show});
  } else {
    surprisal::generate(model, text, {.max_tokens = 20, .on_text = show});
  }
  std::printf("\n");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "generate MODEL TEXT\n");
    return 2;
  }
  try {
    run(arguments[1], arguments[2]);
    return 0;
  } catch (const surprisal::Error& error) {
    std::fprintf(stderr, "generate: %s\n", error.what());
    return static_cast<int>(error.kind());
  }
}
