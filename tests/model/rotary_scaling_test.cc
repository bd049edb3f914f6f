#include "model/rotary_scaling.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "core/file.h"
#include "core/json.h"
#include "model/family.h"
#include "tests/model/configurations.h"

namespace surprisal {
namespace {

RotaryFrequencies frequencies_of(const ModelConfig& config) {
  return scaled_rotary_frequencies(config.head_size(), config.rotary_base, config.rotary_scaling);
}

void expect_near(const RotaryFrequencies& found, const Json& expected) {
  const auto want = expected.at("frequency").get<std::vector<double>>();
  ASSERT_EQ(found.frequency.size(), want.size());
  for (std::size_t d = 0; d < want.size(); ++d) {
    EXPECT_NEAR(found.frequency[d], want[d], 1e-13 * want[d]) << "pair " << d;
  }
  EXPECT_NEAR(found.magnitude, expected.at("magnitude").get<double>(), 1e-15);
}

// Published sizes and scalings, under the keys of every time (tools/goldens/rotary_frequencies.py); read once
// more from what is written.
TEST(RotaryScaling, GivesTheFrequenciesOfTransformers) {
  const std::string file = std::string(SURPRISAL_TEST_DATA) + "/golden/rotary_frequencies.json";
  const Json golden = parse_json(read_file(file), file);
  ASSERT_GE(golden.at("cases").size(), 16u);
  for (const Json& expected : golden.at("cases")) {
    SCOPED_TRACE(expected.at("name").get<std::string>());
    const ModelConfig config = read(expected.at("config"));
    expect_near(frequencies_of(config), expected);
    expect_near(frequencies_of(read(Json(find_family("llama", "").write_config(config)))), expected);
  }
}

// What turns fast stays, what turns slowly is divided by the factor, and the ramp between falls.
TEST(RotaryScaling, RampsBetweenWhatStaysAndWhatIsStretched) {
  for (const RotaryScaling& scaling :
       {RotaryScaling{.kind = RotaryScalingKind::yarn, .factor = 4, .original_positions = 32768},
        RotaryScaling{.kind = RotaryScalingKind::llama3,
        .factor = 8,
        .original_positions = 8192,
        .low_frequency_factor = 1,
        .high_frequency_factor = 4}}) {
    const std::vector<double> plain = scaled_rotary_frequencies(128, 1e6, {}).frequency,
                              scaled = scaled_rotary_frequencies(128, 1e6, scaling).frequency;
    std::vector<double> kept;
    for (std::size_t d = 0; d < plain.size(); ++d) kept.push_back(scaled[d] / plain[d]);
    EXPECT_EQ(kept.front(), 1);
    EXPECT_NEAR(kept.back(), 1 / scaling.factor, 1e-15);
    EXPECT_TRUE(std::is_sorted(kept.rbegin(), kept.rend()));
    EXPECT_GT(std::count_if(kept.begin(), kept.end(),
                            [&](double share) { return share < 0.999 && share > 1.001 / scaling.factor; }),
              2);
  }
}

}  // namespace
}  // namespace surprisal
