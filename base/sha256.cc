#include "base/sha256.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "base/check.h"

namespace rm::base {

// libcrypto's calls fail only when memory is out or the context is misused.
struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool ended = false;

  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  RM_CHECK(state_->context != nullptr, "out of memory");
  RM_CHECK(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1, "SHA-256 is missing");
}

Sha256::~Sha256() = default;

void Sha256::Update(const void* data, size_t size) {
  RM_CHECK(!state_->ended, "Update after HexDigest");
  RM_CHECK(EVP_DigestUpdate(state_->context, data, size) == 1, size, " bytes");
}

// OpenSSL would answer a second Final with garbage, so the end is remembered here.
std::string Sha256::HexDigest() {
  RM_CHECK(!state_->ended, "HexDigest twice");
  state_->ended = true;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  RM_CHECK(EVP_DigestFinal_ex(state_->context, digest, &size) == 1, "no digest");
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size));
}

std::string Sha256Hex(absl::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.HexDigest();
}

bool IsSha256Hex(absl::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace rm::base
