#include "text/corpus/abbreviations.h"

#include <algorithm>
#include <array>

namespace surprisal {
namespace {

template <class Words>
bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr auto kInner = std::to_array<std::string_view>(
    {"mr",  "mrs", "ms",  "dr",   "prof", "st",   "gen", "sen", "rep",  "gov",    "capt", "lt",
     "col", "sgt", "maj", "cmdr", "rev",  "hon",  "fr",  "mt",  "e.g",  "eg",     "i.e",  "ie",
     "cf",  "vs",  "v",   "viz",  "fig",  "figs", "eq",  "eqs", "ca",   "approx", "incl", "resp",
     "esp", "jan", "feb", "apr",  "jun",  "jul",  "aug", "sep", "sept", "oct",    "nov",  "dec"});

constexpr auto kNumbered = std::to_array<std::string_view>(
    {"no",  "nos",  "nr",  "p",   "pp",  "vol", "vols", "ch", "chap", "sec", "sect", "art",
     "ref", "refs", "tab", "ver", "mar", "par", "app",  "ex", "ed",   "op",  "pt"});

constexpr auto kEither = std::to_array<std::string_view>(
    {"etc",  "inc", "ltd",  "co", "corp", "bros", "jr",  "sr",  "al",  "dept", "univ",
     "assn", "ave", "blvd", "rd", "eds",  "est",  "ext", "a.m", "p.m", "u.s",  "ph.d"});

constexpr auto kFirstWords = std::to_array<std::string_view>(
    {"The",     "A",        "An",      "This", "That", "These", "Those", "There", "It",    "He",
     "She",     "We",       "They",    "You",  "I",    "In",    "On",    "At",    "As",    "If",
     "When",    "While",    "And",     "But",  "Or",   "So",    "Then",  "For",   "To",    "From",
     "By",      "With",     "What",    "Who",  "Why",  "How",   "Where", "Which", "After", "Before",
     "Because", "Although", "However", "Also", "Some", "Many",  "Most",  "Not",   "Its",   "His",
     "Her",     "Our",      "Their",   "My",   "Your", "Here",  "Now",   "Since", "Once",  "Please"});

}  // namespace

Abbreviation find_abbreviation(std::string_view word) {
  if (contains(kInner, word)) return Abbreviation::inner;
  if (contains(kNumbered, word)) return Abbreviation::numbered;
  if (contains(kEither, word)) return Abbreviation::either;
  return Abbreviation::none;
}

bool is_usual_first_word(std::string_view word) {
  return contains(kFirstWords, word);
}

}  // namespace surprisal
