// What a user of the installed library writes: every public header, and something of each that must be
// linked.
#include <iostream>
#include <string>

#include "surprisal/error.h"
#include "surprisal/stream.h"
#include "surprisal/tokenizer.h"

int main() {
  surprisal::Stream stream;
  stream.token = {1, 2, 3};
  if (stream.size() != 3) return 1;
  stream.clear();
  if (!stream.empty()) return 2;

  try {
    surprisal::Tokenizer::from_json("{}", "", "consumer.json");
  } catch (const surprisal::Error& error) {
    if (error.kind() != surprisal::ErrorKind::data) return 3;
    if (std::string(error.what()).find("consumer.json") == std::string::npos) return 4;
    std::cout << "consumer: " << error.what() << '\n';
    return 0;
  }
  return 5;
}
