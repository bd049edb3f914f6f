// A line of `loss --streams`.
#include "fuzz/target.h"
#include "stream/json_lines.h"

namespace surprisal::fuzz {

void read(std::string_view input) {
  const Stream stream = stream_from_json(input, "streams.jsonl:1");
  expect(stream_from_json(stream_to_json(stream), "written") == stream, "a stream that reads back otherwise");
}

std::vector<std::string> seeds() {
  return {
      R"({"token":[5,6,7],"position":[0,1,2],"block_position":[0,0,1],"segment":[0,0,1],"visible":[[0,1],[0,2],[0,3]],)"
      R"("target":[[0,6,1],[1,7,0.5]],"label":[[0,1,1]]})",
      R"({"token":[1,2],"visible":[[0,2],[0,2]],"target":[[0,1,1],[0,2,1],[1,3,0.5]],)"
      R"("choice":[{"options":[[0,1],[1,3]],"answer":1,"weight":0.25}]})",
      R"({"token":[1],"visible":[[0,1]]})",
      R"({"token":[1,2],"visible":[[0,2],[0,2]],"label":[[0,0,1,2.5],[1,0,0.5,-1e-30]]})",
      R"({"token":[1,2],"visible":[[0,2],[0,2]],"target":[[1,2,1e-3],[0,2147483647,0]]})",
  };
}

}  // namespace surprisal::fuzz
