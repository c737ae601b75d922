#include "comm/collective/sum.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/random.h"
#include "comm/collective/sum_isa.h"

namespace rm::comm {
namespace {

struct Form {
  const char* name;
  AddFloatsFunction add;
};

// The forms that this machine can run.
std::vector<Form> Forms() {
  std::vector<Form> forms = {{"chosen", AddFloats()}, {"v1", &v1::AddFloats}};
  if (base::CpuIsa() >= base::Isa::kV3) forms.push_back({"v3", &v3::AddFloats});
  if (base::CpuIsa() >= base::Isa::kV4) forms.push_back({"v4", &v4::AddFloats});
  return forms;
}

// Floats of all magnitudes, with zeros, infinities and denormals among them.
std::vector<float> RandomFloats(uint64_t seed, size_t n) {
  base::RandomStream random(seed, base::StableHash("sum_test"));
  std::vector<float> values(n);
  for (float& value : values) {
    switch (random.NextBelow(16)) {
      case 0: value = 0.0F; break;
      case 1: value = -0.0F; break;
      case 2: value = std::numeric_limits<float>::infinity(); break;
      case 3: value = std::numeric_limits<float>::denorm_min(); break;
      case 4: value = random.NextNormal() * 1e30F; break;
      default: value = random.NextNormal(); break;
    }
  }
  return values;
}

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  // memcmp may not be given the null pointer of an empty vector.
  if (a.empty() || b.empty()) return a.size() == b.size();
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST_CASE("every form adds as the reference does, at any size and alignment") {
  for (const Form& form : Forms()) {
    for (const int floats : {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 1023, 4097}) {
      for (const int offset : {0, 1, 2, 3, 4, 5, 16, 63}) {
        const size_t n = static_cast<size_t>(floats);
        const size_t misalignment = static_cast<size_t>(offset);
        INFO(form.name << " n " << n << " misalignment " << misalignment);
        const std::vector<float> in = RandomFloats(n, n);
        std::vector<float> expected = RandomFloats(n + 1, n);
        std::vector<float> actual = expected;
        std::string bytes(misalignment + n * sizeof(float), '\0');
        if (n > 0) std::memcpy(&bytes[misalignment], in.data(), n * sizeof(float));
        AddFloatsReference(expected.data(), bytes.data() + misalignment,
                           static_cast<int64_t>(n));
        form.add(actual.data(), bytes.data() + misalignment, static_cast<int64_t>(n));
        CHECK(SameBits(actual, expected));
      }
    }
  }
}

TEST_CASE("the reference adds") {
  std::vector<float> out = {1.0F, 2.0F, 3.0F};
  const std::vector<float> in = {10.0F, 20.0F, 30.0F};
  AddFloatsReference(out.data(), reinterpret_cast<const char*>(in.data()), 2);
  CHECK(out == std::vector<float>{11.0F, 22.0F, 3.0F});
}

// Hands `bytes` to a sink in random pieces, empty ones among them.
template <typename Sink>
void Feed(Sink& sink, absl::Span<const char> bytes, uint64_t seed) {
  base::RandomStream random(seed, base::StableHash("sum_test.pieces"));
  while (!bytes.empty()) {
    const size_t size = std::min<size_t>(random.NextBelow(23), bytes.size());
    sink.Take(bytes.subspan(0, size));
    bytes.remove_prefix(size);
  }
}

TEST_CASE("a stream of pieces cut anywhere is added as one") {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const size_t n = seed;
    const std::vector<float> in = RandomFloats(seed, n);
    std::vector<float> expected = RandomFloats(seed + 1, n);
    std::vector<float> actual = expected;
    const absl::Span<const char> bytes(reinterpret_cast<const char*>(in.data()),
                                       n * sizeof(float));
    AddFloatsReference(expected.data(), bytes.data(), static_cast<int64_t>(n));
    AddingSink sink(absl::MakeSpan(actual));
    Feed(sink, bytes, seed);
    CHECK(SameBits(actual, expected));
  }
}

TEST_CASE("a stream of pieces is copied as one") {
  const std::string text = "the quick brown fox jumps over the lazy dog, twice and again";
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::string out(text.size(), '\0');
    CopyingSink sink({&out[0], out.size()});
    Feed(sink, text, seed);
    CHECK(out == text);
  }
}

}  // namespace
}  // namespace rm::comm
