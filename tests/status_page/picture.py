"""Pictures of the status page for the README: `picture.py URL FOLDER`.

Leaves `status-light.png` and `status-dark.png` in the folder. Needs Debian's packages chromium,
chromium-driver and python3-selenium.
"""

import json
import sys
import time
import urllib.request
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

URL, FOLDER = sys.argv[1], Path(sys.argv[2])
WIDTH = 1280
# Sharp on screens of high resolution, and small enough.
SCALE = 1.5
# The picture ends so many pixels below the table of services.
MARGIN = 24


def browser():
    options = webdriver.ChromeOptions()
    for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]:
        options.add_argument(argument)
    return webdriver.Chrome(options=options)


def wait_until_all_names_are_shown():
    """Rancher has them all; metadata tells the program a moment later."""
    for _ in range(300):
        with urllib.request.urlopen(URL + ".json") as answer:
            if json.load(answer)["fqdns_waiting"] == 0:
                return
        time.sleep(0.1)
    sys.exit("names are still waiting to be shown by Rancher")


def size(driver, height):
    metrics = {"width": WIDTH, "height": height, "deviceScaleFactor": SCALE, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    wait_until_all_names_are_shown()
    driver = browser()
    try:
        driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        size(driver, 900)
        driver.get(URL)
        WebDriverWait(driver, 30).until(lambda d: d.find_element(By.ID, "tools").is_displayed())
        bottom = "return document.getElementById('list').getBoundingClientRect().bottom"
        size(driver, int(driver.execute_script(bottom)) + MARGIN)
        for scheme in ["light", "dark"]:
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            driver.save_screenshot(str(FOLDER / f"status-{scheme}.png"))
    finally:
        driver.quit()


main()
