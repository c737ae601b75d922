#include "comm/collective/sum.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/cpu.h"
#include "comm/collective/sum_isa.h"

namespace rm::comm {

// The obvious loop: what the vectorised ones are compared with, bit for bit. The input may lie at
// any address.
void AddFloatsReference(float* out, const char* in, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    float value = 0;
    std::memcpy(&value, in + i * static_cast<int64_t>(sizeof(float)), sizeof(float));
    out[i] = out[i] + value;
  }
}

// Chosen once, by what the CPU has.
AddFloatsFunction AddFloats() {
  switch (base::CpuIsa()) {
    case base::Isa::kV4: return &v4::AddFloats;
    case base::Isa::kV3: return &v3::AddFloats;
    case base::Isa::kV1: return &v1::AddFloats;
  }
  return &v1::AddFloats;
}

void AddingSink::Take(absl::Span<const char> piece) {
  static const AddFloatsFunction add = AddFloats();
  if (split_bytes_ > 0) {
    const size_t missing = std::min(sizeof(float) - split_bytes_, piece.size());
    std::memcpy(split_ + split_bytes_, piece.data(), missing);
    split_bytes_ += missing;
    piece.remove_prefix(missing);
    if (split_bytes_ < sizeof(float)) return;
    RM_CHECK(!out_.empty(), "more bytes than floats");
    add(out_.data(), split_, 1);
    out_.remove_prefix(1);
    split_bytes_ = 0;
  }
  const size_t whole = piece.size() / sizeof(float);
  RM_CHECK(whole <= out_.size(), "more bytes than floats");
  add(out_.data(), piece.data(), static_cast<int64_t>(whole));
  out_.remove_prefix(whole);
  piece.remove_prefix(whole * sizeof(float));
  std::memcpy(split_, piece.data(), piece.size());
  split_bytes_ = piece.size();
}

void CopyingSink::Take(absl::Span<const char> piece) {
  RM_CHECK(piece.size() <= out_.size(), "more bytes than room");
  std::memcpy(out_.data(), piece.data(), piece.size());
  out_.remove_prefix(piece.size());
}

}  // namespace rm::comm
