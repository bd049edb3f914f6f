// What a fuzz target is made of. One target a reader of files that others made: fuzz/NAME.cc defines read()
// and seeds(), and may have a dictionary (dictionaries/NAME.dict), a mutator that keeps checksums right
// (NAME_mutator.cc) and further seeds (seeds/NAME/). The same file is built twice: with libFuzzer
// (script/fuzz), and with replay.cc as a test that runs the seeds once.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace surprisal::fuzz {

// Reads `input` as the file that someone sends. Nothing but Error may leave it.
void read(std::string_view input);

// Small inputs that reach far: what our own writers write, one for each shape that the reader tells apart.
std::vector<std::string> seeds();

// What holds whatever the input is. Throws what is no Error, so that a run ends where it does not hold.
void expect(bool holds, const char* what);

// Runs read() as both programs do: an Error is an answer, as long as its message can be shown to people.
void run(std::string_view input);

// The parts of an input that stands for several files, with 0xFF between them, which no UTF-8 has; always
// `count`, the last ones empty where the input has fewer. Rests behind the last belong to it.
std::vector<std::string> parts_of(std::string_view input, std::size_t count);
std::string join_parts(const std::vector<std::string>& parts);

// A directory of this process for readers that take a path, in TMPDIR; removed when it ends.
const std::filesystem::path& directory();
// Writes a file of that directory over the last one of this name, without a sync, and returns its path.
std::filesystem::path write(const std::string& name, std::string_view content);

// A file of tests/, which holds what other programs wrote ("golden/tokenizers/bpe/tokenizer.json").
std::string test_data(const std::string& name);

}  // namespace surprisal::fuzz
