#include "base/name_pattern.h"

#include <catch2/catch.hpp>
#include <string>

namespace rm::base {
namespace {

TEST_CASE("a pattern fits the whole name or not at all") {
  const struct {
    const char* pattern;
    const char* name;
    bool fits;
  } cases[] = {
      {"fc1.bias", "fc1.bias", true},
      {"fc1", "fc1.bias", false},
      {"bias", "fc1.bias", false},
      {"*.bias", "fc1.bias", true},
      {"*.bias", "fc1.weight", false},
      {"*norm*", "blocks.0.norm1.weight", true},
      {"*norm*", "norm", true},
      {"encoder*", "encoder.embed.weight", true},
      {"encoder*", "decoder.weight", false},
      {"fc?.bias", "fc1.bias", true},
      {"fc?.bias", "fc10.bias", false},
      {"fc?.bias", "fc.bias", false},
      {"*a*b*c", "aabbcc", true},
      {"*a*b*c", "aabbccd", false},
      {"a**b", "ab", true},
      {"*", "", true},
      {"", "", true},
      {"", "x", false},
      {"?", "", false},
  };
  for (const auto& c : cases) {
    CAPTURE(c.pattern, c.name);
    CHECK(MatchesPattern(c.pattern, c.name) == c.fits);
  }
}

TEST_CASE("a pattern of many stars over a long name that does not fit takes no time") {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  pattern += "*b";
  CHECK_FALSE(MatchesPattern(pattern, std::string(20000, 'a')));
}

}  // namespace
}  // namespace rm::base
