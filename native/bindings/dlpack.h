// The memory layout of DLPack 1.1, https://dmlc.github.io/dlpack/latest/c_api.html: how array libraries hand each other
// tensors without a copy. A stable ABI, of which this is what a CPU needs.
#pragma once

#include <cstdint>

namespace threadwheel::bindings::dlpack {

struct Version {
  std::uint32_t major, minor;
};
inline constexpr Version kVersion{1, 1};

enum class DeviceType : std::int32_t { kCpu = 1 };

struct Device {
  DeviceType type;
  std::int32_t id;
};

enum class TypeCode : std::uint8_t { kInt = 0, kUInt = 1, kFloat = 2, kBfloat = 4, kComplex = 5, kBool = 6 };

struct DataType {
  TypeCode code;
  std::uint8_t bits;
  std::uint16_t lanes;
};

struct Array {
  void* data;
  Device device;
  std::int32_t ndim;
  DataType dtype;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements; null: contiguous
  std::uint64_t byte_offset;
};

// Whoever takes it out of its capsule calls the deleter, once. Capsules are named "dltensor", and "used_dltensor" when
// it has been taken out.
struct Managed {
  Array array;
  void* context;
  void (*deleter)(Managed*);

  static constexpr const char *kName = "dltensor", *kUsedName = "used_dltensor";
};

// The same since 1.0.
struct VersionedManaged {
  Version version;
  void* context;
  void (*deleter)(VersionedManaged*);
  std::uint64_t flags;
  Array array;

  static constexpr const char *kName = "dltensor_versioned", *kUsedName = "used_dltensor_versioned";
};

inline constexpr std::uint64_t kReadOnly = 1, kIsCopied = 2;

}  // namespace threadwheel::bindings::dlpack
