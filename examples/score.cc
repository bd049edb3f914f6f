// The surprisal of a text, token by token: score MODEL TEXT
#include "surprisal/score.h"

#include <cstdio>
#include <string>

#include "surprisal/error.h"

namespace {

void run(const std::string& directory, const std::string& text) {
  surprisal::Model model = surprisal::Model::load(directory);
  for (const surprisal::TokenSurprisal& token : surprisal::token_surprisals(model, text)) {
    std::printf("%8.4f  byte %zu  %s\n", token.nats, token.begin,
                std::string(model.tokenizer().token(token.id)).c_str());
  }
  const surprisal::Score score = surprisal::score(model, text);
  std::printf("%s: %.4f nats, %llu tokens, %.4f bits a byte\n", score.rule.c_str(), score.nats,
              static_cast<unsigned long long>(score.tokens), score.bits_per_byte());
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "score MODEL TEXT\n");
    return 2;
  }
  try {
    run(arguments[1], arguments[2]);
  } catch (const surprisal::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.kind());
  }
  return 0;
}
