// SPDX-License-Identifier: BSL-1.0
#ifndef RAY_TRACER_VECTOR_HPP
#define RAY_TRACER_VECTOR_HPP

#include <cmath>

namespace ray_tracer {

/// A point, a direction or a colour. An aggregate: it travels to workers as it is.
struct vector
{
    double x = 0, y = 0, z = 0;

    friend vector operator+(vector a, vector b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
    friend vector operator-(vector a, vector b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
    friend vector operator*(vector a, vector b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
    friend vector operator*(double s, vector a) { return {s * a.x, s * a.y, s * a.z}; }
};

inline double dot(vector a, vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline vector cross(vector a, vector b)
{
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline vector unit(vector a) { return (1 / std::sqrt(dot(a, a))) * a; }
inline vector mix(vector a, vector b, double part) { return (1 - part) * a + part * b; }

} // namespace ray_tracer

#endif
