// A program that runs TorchScript models through the installed headers alone.
//
//   inference run MODEL NUM_INPUTS FILE.npy...         calls forward, as loaded, frozen and loaded from memory, from
//                                                      four threads at once, and compares the tensors of the result
//                                                      with the files after the inputs
//   inference values MODEL                             passes every kind of value to methods of MODEL, and back; and
//                                                      again when main() has returned
//   inference refusals MODEL                           prints the error of each thing that must be refused, by name
//
// Exit code 0: all is as it should be; 1: an error of threadwheel, on stderr; 2: something differs.
#include <threadwheel/jit.h>

#include <array>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tw = threadwheel;
namespace jit = threadwheel::jit;
using jit::Tensor;
using jit::Value;

namespace {

struct Difference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void expect(bool holds, const char* what) {
  if (!holds) throw Difference(what);
}

std::vector<std::byte> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> result(bytes.size());
  std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

// What follows `key` in the header of a .npy file, a Python dict in text.
std::string field(const std::string& header, const std::string& key, char end) {
  const std::size_t begin = header.find("'" + key + "': ") + key.size() + 4;
  return header.substr(begin, header.find(end, begin) - begin);
}

// A tensor over the bytes of a .npy file of version 1, in this machine's byte order; they live as long as it does.
Tensor read_npy(const std::string& path) {
  const auto bytes = std::make_shared<std::vector<std::byte>>(read_file(path));
  const auto text = [&](std::size_t at, std::size_t size) {
    return std::string(reinterpret_cast<const char*>(bytes->data()) + at, size);
  };
  expect(bytes->size() > 10 && text(1, 5) == "NUMPY", "the file is no .npy file");
  const std::size_t size = std::to_integer<std::size_t>((*bytes)[8]) + 256 * std::to_integer<std::size_t>((*bytes)[9]);
  const std::string header = text(10, size), descr = field(header, "descr", ',');
  std::vector<std::int64_t> sizes;
  const std::string shape = field(header, "shape", ')').substr(1);
  for (std::size_t at = 0; at < shape.size(); at = shape.find(',', at) + 1) {
    if (shape.find_first_of("0123456789", at) == std::string::npos) break;
    sizes.push_back(std::stoll(shape.substr(at)));
    if (shape.find(',', at) == std::string::npos) break;
  }
  const tw::DType dtype = descr == "'<i8'" ? tw::DType::kInt64 : tw::DType::kFloat32;
  expect(dtype == tw::DType::kInt64 || descr == "'<f4'", "the .npy file has another dtype");
  return jit::from_blob(static_cast<const void*>(bytes->data() + 10 + size), sizes, dtype, {}, [bytes] {});
}

void compare(const Tensor& got, const Tensor& golden) {
  expect(got.sizes() == golden.sizes(), "the result has other sizes than the golden");
  const Tensor dense = got.contiguous();
  const float* const values = dense.data<const float>();
  const float* const expected = golden.data<const float>();
  for (std::int64_t i = 0; i < golden.numel(); ++i)
    expect(std::abs(values[i] - expected[i]) <= 1e-5F + 1e-4F * std::abs(expected[i]), "the result is not the golden");
}

// The tensors of a result, in order.
void flatten(const Value& value, std::vector<Tensor>& tensors) {
  if (value.kind() == Value::Kind::kTensor) tensors.push_back(value.to_tensor());
  if (value.kind() == Value::Kind::kTuple)
    for (const Value& each : value.to_tuple()) flatten(each, tensors);
  if (value.kind() == Value::Kind::kList)
    for (const Value& each : value.to_list()) flatten(each, tensors);
}

void compare(const Value& result, const std::vector<Tensor>& goldens) {
  std::vector<Tensor> tensors;
  flatten(result, tensors);
  expect(tensors.size() == goldens.size(), "the result has another number of tensors");
  for (std::size_t i = 0; i < goldens.size(); ++i) compare(tensors[i], goldens[i]);
}

// Calls from four threads at once, three times each; the first thing that goes wrong is thrown here.
void check_model(const jit::Module& model, const std::vector<Value>& inputs, const std::vector<Tensor>& goldens) {
  std::array<std::exception_ptr, 4> errors;
  std::vector<std::thread> threads;
  for (std::exception_ptr& error : errors)
    threads.emplace_back([&] {
      try {
        for (int round = 0; round < 3; ++round) compare(model.forward(inputs), goldens);
      } catch (...) {
        error = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

void expect_no_python() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    expect(line.find("libpython") == std::string::npos, "libpython is mapped into the process");
}

void run(const std::string& path, std::size_t num_inputs, const std::vector<std::string>& files) {
  const jit::Module loaded = jit::load(path);
  std::vector<Value> inputs;
  std::vector<Tensor> goldens;
  for (const std::string& file : files)
    if (inputs.size() < num_inputs) inputs.emplace_back(read_npy(file));
    else goldens.push_back(read_npy(file));
  check_model(loaded, inputs, goldens);
  check_model(jit::freeze(loaded), inputs, goldens);
  check_model(jit::load(read_file(path)), inputs, goldens);
  expect_no_python();
}

void values(const std::string& path) {
  jit::Module handle = jit::load(path);
  const jit::Module model = std::move(handle);
  expect(handle.name() == model.name(), "a handle that was moved from");
  expect(model.name() == "__torch__.M" && model.has_method("scaled") && !model.has_method("other"), "methods");

  // x + scale * len(words): defaults, names, an int for a float, memory in columns.
  float numbers[] = {1, 2, 3, 4, 5, 6};
  int released = 0;
  {
    const Tensor x = jit::from_blob(numbers, {3, 2}, tw::DType::kFloat32, {1, 3}, [&] { ++released; });
    expect(!x.is_contiguous() && x.contiguous().data<float>()[1] == 4, "strides");
    const jit::Method scaled = model.method("scaled");
    expect(scaled.name() == "__torch__.M.scaled", "a method's name");
    const Tensor y = scaled({x, Value::list({"a", "b"})}).to_tensor();
    expect(y.sizes() == std::vector<std::int64_t>{3, 2} && y.dtype() == tw::DType::kFloat32, "sizes");
    expect(y.contiguous().data<float>()[0] == 1 + 2 * 0.5F, "a default");
    expect(scaled({x}, {{"scale", 3}, {"words", Value::list({"a"})}}).to_tensor().contiguous().data<float>()[5] == 9,
           "arguments by name");
    expect(model.run_method("scaled", {x, Value::tuple({"a"})}).to_tensor().numel() == 6, "a tuple for a list");
    expect(released == 0, "the memory is in use");
  }
  expect(released == 1, "the memory is given back once");

  // A bool, an int, a float, a string, an optional, a dict and a tuple, returned in another order.
  const Value dict = Value::dict({{"one", 1}, {"two", 2}});
  const std::vector<Value> back =
      model.run_method("shuffled", {true, 7, 0.25, "text", Value(), dict, Value::tuple({1, "x"})}).to_tuple();
  expect(back.size() == 7 && back[0].kind() == Value::Kind::kTuple, "a tuple");
  expect(back[0].to_tuple()[0].to_int() == 1 && back[0].to_tuple()[1].to_string() == "x", "its elements");
  expect(back[1].to_dict().size() == 2 && back[1].to_dict()[1].second.to_int() == 2, "a dict");
  expect(back[2].is_none() && back[3].to_string() == "text" && back[4].to_double() == 0.25, "None, a string, a float");
  expect(back[5].to_int() == 7 && back[6].to_bool(), "an int and a bool");

  expect(Value(std::complex<double>(1, 2)).to_complex().imag() == 2 && Value(3).to_complex() == 3.0 &&
             Value(3).to_double() == 3 && Value(0xFFFFFFFFU).to_int() == 0xFFFFFFFF && !Value(0).is_none() && Value(false).kind() == Value::Kind::kBool,
         "numbers");

  // A list is the caller's own: what the program appends is seen in the result alone.
  const Value list = Value::list({1, 2});
  expect(model.run_method("appended", {list}).to_list().size() == 3 && list.to_list().size() == 2, "a list is copied");

  // In place: the caller's memory is what the program writes.
  model.run_method("increase", {jit::from_blob(numbers, {6}, tw::DType::kFloat32)});
  expect(numbers[5] == 7, "memory is written in place");
  const Tensor made = Tensor::empty({2}, tw::DType::kInt64);
  made.data<std::int64_t>()[0] = made.data<std::int64_t>()[1] = 20;
  model.run_method("increase", {made});
  expect(made.data<const std::int64_t>()[1] == 21 && made.strides() == std::vector<std::int64_t>{1}, "own memory");
  expect_no_python();
}

// Destroyed after all that was made since main() began, as the library's tables would be if they ever were.
struct AtExit {
  std::function<void()> action;
  ~AtExit() {
    if (action) action();
  }
} at_exit;

void refusals(const std::string& path) {
  const jit::Module model = jit::load(path);
  const std::array<float, 6> numbers{};
  const Tensor x = jit::from_blob(numbers.data(), {6}, tw::DType::kFloat32);
  const auto refused = [](const char* name, const std::function<void()>& action) {
    try {
      action();
    } catch (const tw::Error& error) {
      std::cout << name << ": " << static_cast<int>(error.code()) << ": " << error.what() << "\n" << std::endl;
      return;
    }
    throw Difference(std::string(name) + " is not refused");
  };
  refused("dtype", [&] {
    model.run_method("product", {Tensor::empty({2, 3}, tw::DType::kFloat32), Tensor::empty({3, 2}, tw::DType::kInt64)});
  });
  refused("index", [&] { model.run_method("index", {x, x}); });
  refused("shape", [&] { model.run_method("product", {x, Tensor::empty({2, 3}, tw::DType::kFloat32)}); });
  refused("many", [&] { model.run_method("appended", {1, 2}); });
  refused("few", [&] { model.run_method("scaled", {x}); });
  refused("kind", [&] { model.run_method("scaled", {x, Value::list({1})}); });
  refused("named", [&] { model.run_method("appended", {Value::list({})}, {{"other", 1}}); });
  refused("method", [&] { model.forward({x}); });
  refused("raise", [&] { model.run_method("raises", {"words"}); });
  refused("object", [&] { model.run_method("itself", {}); });
  refused("result", [&] { model.run_method("appended", {Value::list({})}).to_tensor(); });
  refused("complex", [&] { Value("1").to_complex(); });
  refused("unsigned", [] { Value(std::numeric_limits<std::uint64_t>::max()); });
  refused("read-only", [&] { model.run_method("increase", {x}); });
  refused("write", [&] { x.data<float>(); });
  refused("element", [&] { x.data<const double>(); });
  refused("undefined", [&] { Tensor().sizes(); });
  refused("sizes", [&] { jit::from_blob(numbers.data(), {2, -3}, tw::DType::kFloat32); });
  refused("strides", [&] { jit::from_blob(numbers.data(), {2, 3}, tw::DType::kFloat32, {1}); });
  refused("backwards", [&] { jit::from_blob(numbers.data(), {6}, tw::DType::kFloat32, {-1}); });
  refused("far", [&] {
    jit::from_blob(numbers.data(), {2}, tw::DType::kFloat32, {std::numeric_limits<std::int64_t>::max()});
  });
  refused("large", [&] { jit::from_blob(numbers.data(), {std::int64_t{1} << 62}, tw::DType::kFloat64); });
  refused("number", [&] { Tensor::empty({6}, static_cast<tw::DType>(99)); });
  refused("null", [&] { jit::from_blob(static_cast<float*>(nullptr), {6}, tw::DType::kFloat32); });
  refused("aligned", [&] {
    jit::from_blob(reinterpret_cast<const char*>(numbers.data()) + 1, {1}, tw::DType::kFloat32);
  });
  refused("quantized", [&] { Tensor::empty({6}, tw::DType::kQInt8); });
  refused("key", [&] { Value::dict({{x, 1}}); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    const std::string& what = arguments.at(0);
    if (what == "run") run(arguments.at(1), std::stoul(arguments.at(2)), {arguments.begin() + 3, arguments.end()});
    if (what == "values") {
      values(arguments.at(1));
      at_exit.action = [path = arguments.at(1)] { values(path); };
    }
    if (what == "refusals") refusals(arguments.at(1));
  } catch (const tw::Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "difference: " << error.what() << std::endl;
    return 2;
  }
  return 0;
}
