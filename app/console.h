// What the program shows a person: results on stdout, everything else on stderr.
#pragma once

#include <cstdint>
#include <string>

namespace surprisal {

bool stderr_is_terminal();

// "1.2 GiB", "124.4 M", "1:02:03".
std::string human_bytes(double bytes);
std::string human_count(double count);
std::string human_time(double seconds);
std::string tokenising_text(std::uint64_t done, std::uint64_t total);  // bytes

// One line on stderr that is rewritten in place on a terminal and left out elsewhere.
class LiveLine {
 public:
  ~LiveLine() { clear(); }
  void show(const std::string& text);
  void clear();

 private:
  bool shown_ = false;
};

// A line on stderr.
void say(const std::string& text);

}  // namespace surprisal
