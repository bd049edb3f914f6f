#include "console.h"

#include <array>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/text_width.h"

namespace surprisal {
namespace {

int terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string scaled(double value, double step, const std::array<const char*, 6>& units) {
  std::size_t unit = 0;
  while (value >= step && unit + 1 < units.size()) {
    value /= step;
    ++unit;
  }
  // Three digits, or four of 1000 to 1023, never with an exponent.
  return unit == 0 || value >= 99.95 ? fmt::format("{:.0f}{}", value, units[unit])
                                     : fmt::format("{:.3g}{}", value, units[unit]);
}

// Not fmt::print, which throws where nothing can be written: a run is worth more than what it says.
void put(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

bool stderr_is_terminal() {
  return isatty(STDERR_FILENO) != 0;
}

std::string human_bytes(double bytes) {
  return scaled(bytes, 1024, {" B", " KiB", " MiB", " GiB", " TiB", " PiB"});
}

std::string human_count(double count) {
  return scaled(count, 1000, {"", " k", " M", " G", " T", " P"});
}

std::string human_time(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string tokenising_text(std::uint64_t done, std::uint64_t total) {
  return fmt::format("tokenising {} of {}", human_bytes(static_cast<double>(done)),
                     human_bytes(static_cast<double>(total)));
}

void LiveLine::show(const std::string& text) {
  if (!stderr_is_terminal()) return;
  int columns = terminal_columns() - 1;
  std::string line = display_width(text) > columns ? pad_to(text, columns) : text;
  put(fmt::format("\r{}\x1b[K", line));
  shown_ = true;
}

void LiveLine::clear() {
  if (!shown_) return;
  put("\r\x1b[K");
  shown_ = false;
}

void say(const std::string& text) {
  put(text + "\n");
}

}  // namespace surprisal
