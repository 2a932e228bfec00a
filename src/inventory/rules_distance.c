#include "inventory/lookup.h"

#include <math.h>

#define EARTH_RADIUS_KM 6371.0088

static double radians(double degrees) {
        return degrees * M_PI / 180;
}

double distance_km(double latitude, double longitude, double other_latitude, double other_longitude) {
        const double half_height = sin(radians(other_latitude - latitude) / 2);
        const double half_width = sin(radians(other_longitude - longitude) / 2);
        const double h = half_height * half_height +
                         cos(radians(latitude)) * cos(radians(other_latitude)) * half_width * half_width;

        /* rounding may lift the root of antipodes above 1, where asin is undefined */
        return 2 * EARTH_RADIUS_KM * asin(fmin(1, sqrt(h)));
}
